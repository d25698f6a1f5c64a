import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";

export interface Visit {
  readonly url: string;
  readonly room: string;
  /** Left out: the page asks for it. */
  readonly name?: string;
}

/** Somebody at the page, in a browser profile of their own. */
export class Visitor {
  readonly page: Page;
  /** What the page threw, and what its content policy forbade. */
  readonly errors: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.errors.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" && !/WebSocket connection|ERR_/.test(message.text()))
        this.errors.push(message.text());
    });
  }

  static async arrive(browser: Browser, visit: Visit, options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await browser.newContext({ viewport: { width: 1_000, height: 720 }, ...options });
    const page = await context.newPage();
    // Less than a test's own patience, so that it is told which step failed.
    page.setDefaultTimeout(20_000);
    const { name } = visit;
    if (name !== undefined) await page.addInitScript((value) => localStorage.setItem("tandem.name", value), name);
    const visitor = new Visitor(page);
    await page.goto(`${visit.url}/?room=${visit.room}`);
    return visitor;
  }

  /** The same person at the same room, in one more tab of the same browser. */
  async openTab(): Promise<Visitor> {
    const page = await this.page.context().newPage();
    page.setDefaultTimeout(20_000);
    const tab = new Visitor(page);
    await page.goto(this.page.url());
    return tab;
  }

  get field(): Locator {
    return this.page.getByRole("textbox", { name: /^Message to/ });
  }

  get switch(): Locator {
    return this.page.getByRole("switch", { name: "Disconnect me" });
  }

  get scroller(): Locator {
    return this.page.getByRole("region", { name: /^Messages in/ });
  }

  /** Who is here, shortly: opens the list of them. */
  get people(): Locator {
    return this.page.getByRole("button", { name: /Who is here$/ });
  }

  /** What the open list of people says, a line for each: `Ada (you): Active`. */
  peopleListed(): Promise<string[]> {
    return this.page.locator("[data-person]").evaluateAll((rows) =>
      rows.map((row) => {
        const [name, status] = [".person-name", ".person-status"].map((part) => row.querySelector(part)?.textContent);
        return `${name}: ${status}`;
      }),
    );
  }

  /** The pointers of others that are shown, all or those of one name. */
  cursors(name?: string): Locator {
    const shown = this.page.locator(".cursor-shown");
    return name === undefined ? shown : shown.filter({ has: this.page.getByText(name, { exact: true }) });
  }

  /** Moves the pointer to a place of the messages, by shares of what is in view. */
  async point(x: number, y: number): Promise<void> {
    const box = await this.scroller.boundingBox();
    if (box === null) throw new Error("There are no messages to point at.");
    await this.page.mouse.move(box.x + x * box.width, box.y + y * box.height);
  }

  /** The tool that is open beside the messages. */
  get tool(): Locator {
    return this.page.getByRole("complementary");
  }

  /** Opens a tool: what is in it. */
  async openTool(name: "Votes" | "Board" | "Note" | "Jobs"): Promise<Locator> {
    await this.page.getByRole("navigation").getByRole("button", { name, exact: true }).click();
    await this.page.locator(`[data-open-tool="${name.toLowerCase()}"] .tool-body`).waitFor();
    return this.tool;
  }

  /** Puts something to the vote. `rules`: labels of the form and what is chosen there. */
  async propose(
    title: string,
    options: readonly string[],
    rules: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await this.tool.getByRole("button", { name: "Propose" }).click();
    await this.page.getByLabel("What shall be decided?").fill(title);
    for (const [index, option] of options.entries()) await this.page.getByLabel(`Option ${index + 1}`).fill(option);
    for (const [label, words] of Object.entries(rules)) {
      const field = this.page.getByLabel(label);
      if (label === "Least voters") await field.fill(words);
      else await field.selectOption(words);
    }
    await this.page.getByRole("button", { name: "Put to the vote" }).click();
    await this.proposal(title).waitFor();
  }

  proposal(title: string): Locator {
    return this.tool.getByRole("article", { name: title, exact: true });
  }

  /** Chooses an option of a proposal. */
  async choose(title: string, option: string): Promise<void> {
    await this.proposal(title).locator("button.option", { hasText: option }).click();
  }

  /** What is shown of a proposal: `Tea 2*` is an option with two votes, chosen by this visitor. */
  async votes(title: string): Promise<string[]> {
    return this.proposal(title)
      .locator(".option")
      .evaluateAll((options) =>
        (options as HTMLElement[]).map((option) => {
          const [text, votes] = [".option-text", ".option-votes"].map((part) =>
            option.querySelector<HTMLElement>(part),
          );
          return `${text?.textContent} ${votes?.dataset.votes}${option.dataset.chosen === "true" ? "*" : ""}`.trim();
        }),
      );
  }

  async addCard(title: string): Promise<void> {
    await this.tool.getByLabel("New card").fill(title);
    await this.tool.getByLabel("New card").press("Enter");
  }

  /** The titles of the cards from the top; `✓` before those that are done. */
  cards(): Promise<string[]> {
    return this.tool.locator("[data-card]").evaluateAll((cards) =>
      (cards as HTMLElement[]).map((card) => {
        const title = card.querySelector(".card-title")?.textContent ?? "";
        return `${card.dataset.done === "true" ? "✓ " : ""}${title}`;
      }),
    );
  }

  /** Gives a card another title where it stands. */
  async retitle(from: string, to: string): Promise<void> {
    await this.tool.getByRole("button", { name: `Edit ${from}`, exact: true }).click();
    await this.tool.getByLabel(`Title of ${from}`).fill(to);
    await this.tool.getByLabel(`Title of ${from}`).press("Enter");
  }

  /** Own commands of the open tool that are not final. */
  unsettled(): Promise<number> {
    return this.tool.locator("[data-stage]:not([data-stage=final])").count();
  }

  connection(kind: string): Locator {
    return this.page.locator(`[data-connection="${kind}"]`);
  }

  message(text: string): Locator {
    return this.page.locator("[data-message]").filter({ has: this.page.getByText(text, { exact: true }) });
  }

  async write(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press("Enter");
  }

  /** How far an own message has come. */
  delivery(text: string): Promise<string | null> {
    return this.message(text).locator("[data-delivery]").getAttribute("data-delivery");
  }

  /** The texts that are on the page now, from the top. */
  texts(): Promise<string[]> {
    return this.page.evaluate(() => {
      const rows = [...document.querySelectorAll<HTMLElement>("li[data-index]")];
      rows.sort((a, b) => Number(a.dataset.index) - Number(b.dataset.index));
      return rows.map((row) => row.querySelector(".text")?.textContent ?? "");
    });
  }

  /** The texts that are wholly in view. */
  textsInView(): Promise<string[]> {
    return this.scroller.evaluate((element) => {
      const { top, bottom } = element.getBoundingClientRect();
      const rows = [...element.querySelectorAll<HTMLElement>("[data-message]")].filter((row) => {
        const place = row.getBoundingClientRect();
        return place.top >= top && place.bottom <= bottom;
      });
      return rows.map((row) => row.querySelector(".text")?.textContent ?? "");
    });
  }

  /** All texts of the room, from its first to its last: scrolls to the beginning and then through everything. */
  async everyText(): Promise<string[]> {
    const beginning = this.page.getByText(/^This is where/);
    for (let top = 1; top > 0 || !(await beginning.isVisible()); ) {
      await this.scroller.evaluate((element) => element.scrollTo(0, 0));
      await this.page.waitForTimeout(50);
      top = await this.scroller.evaluate((element) => element.scrollTop);
    }
    return this.scroller.evaluate(async (element) => {
      const frame = () => new Promise((next) => requestAnimationFrame(next));
      const found = new Map<number, string>();
      const look = () => {
        for (const row of element.querySelectorAll<HTMLElement>("li[data-index]")) {
          found.set(Number(row.dataset.index), row.querySelector(".text")?.textContent ?? "");
        }
      };
      const whole = () => Math.max(-1, ...found.keys()) === found.size - 1;
      const atEnd = () => element.scrollTop + element.clientHeight >= element.scrollHeight - 1;
      look();
      // A busy machine may be late to put the rows of a place on the page: then that place is looked at again.
      for (let frames = 0; frames < 3_000 && !(atEnd() && whole()); frames++) {
        await frame();
        look();
        if (whole()) element.scrollBy(0, element.clientHeight / 3);
        // A page that came last may have moved the view once more.
        else if (!found.has(0)) element.scrollTo(0, 0);
      }
      await frame();
      look();
      return [...found].sort(([a], [b]) => a - b).map(([, text]) => text);
    });
  }

  /** How many messages of the room are held on the page, shown or not. */
  async held(): Promise<number> {
    const last = await this.page.evaluate(() => {
      const rows = [...document.querySelectorAll<HTMLElement>("li[data-index]")];
      return Math.max(-1, ...rows.map((row) => Number(row.dataset.index)));
    });
    return last + 1;
  }

  leave(): Promise<void> {
    return this.page.context().close();
  }
}
