import { describe, expect, it } from "vitest";
import { hasChromium } from "./chromium.ts";
import { Stage, soon } from "./stage.ts";
import type { Visitor } from "./visitor.ts";

describe.skipIf(!hasChromium)("beside the messages", () => {
  const stage = new Stage();

  it("two vote, see the tally, change their mind, and are told the result; also after a crash of the server", async () => {
    const [ada, grace] = await bothAt("votes", "Votes");
    await ada.propose("Lunch?", ["Soup", "Salad"]);
    await grace.proposal("Lunch?").waitFor();
    await grace.choose("Lunch?", "Salad");
    await ada.choose("Lunch?", "Soup");
    await soon(() => ada.votes("Lunch?")).toEqual(["Soup 1*", "Salad 1"]);
    await soon(() => grace.votes("Lunch?")).toEqual(["Soup 1", "Salad 1*"]);
    expect(await grace.proposal("Lunch?").getByRole("button", { name: "Close and count" }).count()).toBe(0);
    await ada.choose("Lunch?", "Salad");
    await soon(() => grace.votes("Lunch?")).toEqual(["Soup 0", "Salad 2*"]);
    await soon(() => ada.unsettled()).toBe(0);
    await stage.server.kill();
    await stage.server.restart();
    await ada.connection("connected").waitFor();
    await ada.proposal("Lunch?").getByRole("button", { name: "Close and count" }).click();
    for (const visitor of [ada, grace]) {
      await visitor.proposal("Lunch?").getByText("Decided: “Salad”").waitFor();
      expect(await visitor.votes("Lunch?")).toEqual(["Soup 0", "Salad 2*"]);
    }
  }, 60_000);

  it("a tie and a missing quorum are results; a secret vote tells nothing before it closes", async () => {
    const [ada, grace] = await bothAt("results", "Votes");
    await ada.propose("Tied", ["One", "Two"], { Ballots: "Secret for good" });
    await grace.proposal("Tied").waitFor();
    await ada.choose("Tied", "One");
    await grace.choose("Tied", "Two");
    await grace.proposal("Tied").getByText("2 voted").waitFor();
    expect(await grace.votes("Tied")).toEqual(["One", "Two *"]);
    await ada.proposal("Tied").getByRole("button", { name: "Close and count" }).click();
    await grace.proposal("Tied").getByText("A tie between “One” and “Two”").waitFor();
    await soon(() => ada.votes("Tied")).toEqual(["One 1", "Two 1"]);
    await ada.propose("Few", ["Yes", "No"], { "Least voters": "3" });
    await ada.choose("Few", "Yes");
    await ada.proposal("Few").getByRole("button", { name: "Close and count" }).click();
    await grace.proposal("Few").getByText("No quorum: 1 of 3 needed voted").waitFor();
  });

  it("a card that is moved in one window moves in the other: by keys, and by the pointer", async () => {
    const [ada, grace] = await bothAt("cards", "Board");
    for (const title of ["a", "b", "c"]) await ada.addCard(title);
    await soon(() => grace.cards()).toEqual(["a", "b", "c"]);
    await ada.tool.getByRole("button", { name: "Move a", exact: true }).focus();
    await ada.page.keyboard.press("ArrowDown");
    await soon(() => grace.cards()).toEqual(["b", "a", "c"]);
    // The handle keeps the focus.
    await ada.page.keyboard.press("End");
    await soon(() => grace.cards()).toEqual(["b", "c", "a"]);
    await drag(grace, "a", "b");
    await soon(() => ada.cards()).toEqual(["a", "b", "c"]);
    await ada.tool.getByLabel("Done: b", { exact: true }).check();
    await soon(() => grace.cards()).toEqual(["a", "✓ b", "c"]);
    // What grace has moved is hers to take back; ada takes back what she did.
    await ada.tool.getByRole("button", { name: "Undo" }).click();
    await soon(() => grace.cards()).toEqual(["a", "b", "c"]);
    await ada.tool.getByRole("button", { name: "Redo" }).click();
    await soon(() => grace.cards()).toEqual(["a", "✓ b", "c"]);
    await grace.tool.getByRole("button", { name: "Remove c", exact: true }).click();
    await soon(() => ada.cards()).toEqual(["a", "✓ b"]);
    await grace.tool.getByRole("button", { name: "Undo" }).click();
    await soon(() => ada.cards()).toEqual(["a", "✓ b", "c"]);
    for (const visitor of [ada, grace]) await soon(() => visitor.unsettled()).toBe(0);
  });

  it("G7 G14: who is away for a while edits and votes on; on return all of it settles, and nothing is there twice", async () => {
    const [ada, grace] = await bothAt("away", "Votes");
    await grace.propose("Go?", ["Yes", "No"]);
    await ada.proposal("Go?").waitFor();
    await ada.switch.click();
    await ada.connection("offline").waitFor();
    await ada.choose("Go?", "Yes");
    await ada.choose("Go?", "No");
    await ada.propose("Own", ["x", "y"]);
    expect(await ada.votes("Go?")).toEqual(["Yes 0", "No 1*"]);
    expect(await ada.unsettled()).toBeGreaterThan(0);
    await ada.openTool("Board");
    for (const title of ["one", "two", "three"]) await ada.addCard(title);
    await ada.tool.getByRole("button", { name: "Move three", exact: true }).press("Home");
    await ada.write("and a message");
    await ada.page.getByText("1 message and 7 changes wait here").waitFor();
    expect(await ada.cards()).toEqual(["three", "one", "two"]);
    await grace.choose("Go?", "Yes");
    await grace.openTool("Board");
    await grace.addCard("hers");
    await soon(() => grace.unsettled()).toBe(0);
    await ada.switch.click();
    await grace.message("and a message").waitFor();
    for (const visitor of [ada, grace]) {
      await soon(() => visitor.cards()).toEqual(["three", "hers", "one", "two"]);
      await soon(() => visitor.unsettled()).toBe(0);
      await visitor.openTool("Votes");
      await soon(() => visitor.votes("Own")).toEqual(["x 0", "y 0"]);
      expect(await visitor.tool.getByRole("article").count()).toBe(2);
    }
    await soon(() => ada.votes("Go?")).toEqual(["Yes 1", "No 1*"]);
    await soon(() => grace.votes("Go?")).toEqual(["Yes 1*", "No 1"]);
    expect(await ada.tool.getByRole("alert").locator("li").count()).toBe(0);
  }, 60_000);

  it("a conflict is shown with both sides, and mine can be restored", async () => {
    const [ada, grace] = await bothAt("conflict", "Board");
    await ada.addCard("Tea");
    await soon(() => grace.cards()).toEqual(["Tea"]);
    await ada.switch.click();
    await ada.connection("offline").waitFor();
    await ada.retitle("Tea", "Green tea");
    expect(await ada.cards()).toEqual(["Green tea"]);
    await grace.retitle("Tea", "Coffee");
    await soon(() => grace.unsettled()).toBe(0);
    await ada.switch.click();
    const conflict = ada.tool.locator(".conflict");
    await conflict.getByText("Grace changed this title before yours came in.").waitFor();
    expect(await conflict.locator("dd").allTextContents()).toEqual(["Green tea", "Coffee"]);
    expect(await ada.cards()).toEqual(["Coffee"]);
    await conflict.getByRole("button", { name: "Restore mine" }).click();
    await soon(() => grace.cards()).toEqual(["Green tea"]);
    await conflict.waitFor({ state: "detached" });
    expect(await grace.tool.locator(".conflict").count()).toBe(0);
  });

  it("G8: the note is handed over; what a stale holder writes is refused, and kept", async () => {
    const [ada, grace] = await bothAt("note", "Note");
    await ada.tool.getByRole("button", { name: "Write" }).click();
    await ada.tool.getByLabel("Write the note").fill("by Ada");
    await grace.tool.getByText("Ada is writing.").waitFor();
    await grace.tool.getByRole("button", { name: "Ask for it" }).click();
    await grace.tool.getByText("You are next.").waitFor();
    await ada.tool.getByText("Grace asks for it.").waitFor();
    await ada.tool.getByRole("button", { name: "Save and hand over" }).click();
    const field = grace.tool.getByLabel("Write the note");
    await soon(() => field.inputValue()).toBe("by Ada");
    await ada.tool.getByText("Grace is writing.").waitFor();
    await ada.tool.getByRole("button", { name: "Ask for it" }).click();
    await ada.tool.getByText("You are next.").waitFor();
    // Grace is away when her time runs out: Ada has it then, and Grace does not know.
    await grace.switch.click();
    await grace.connection("offline").waitFor();
    await field.fill("by Grace, too late");
    await grace.tool.getByRole("button", { name: "Save", exact: true }).click();
    await ada.tool.getByLabel("Write the note").waitFor({ timeout: 45_000 });
    await ada.tool.getByLabel("Write the note").fill("by Ada again");
    await ada.tool.getByRole("button", { name: "Save", exact: true }).click();
    await soon(() => ada.unsettled()).toBe(0);
    await grace.switch.click();
    await grace.tool.getByText("Somebody else had taken over by then.").waitFor();
    await grace.tool.getByText("by Grace, too late").waitFor();
    await grace.tool.getByLabel("The note").getByText("by Ada again").waitFor();
    await ada.tool.getByRole("button", { name: "Let go" }).click();
    await grace.tool.getByRole("button", { name: "Write" }).click();
    await soon(() => field.inputValue()).toBe("by Grace, too late");
    await grace.tool.getByRole("button", { name: "Save and let go" }).click();
    await ada.tool.getByLabel("The note").getByText("by Grace, too late").waitFor();
  }, 120_000);

  it("a job of the server's is seen by both, survives its server, and can be cancelled", async () => {
    await stage.fill("jobs", 400);
    const [ada, grace] = await bothAt("jobs", "Jobs");
    await ada.tool.getByRole("button", { name: "Count the words" }).click();
    const job = grace.tool.getByRole("article", { name: "Count the words" });
    await job.locator("progress").waitFor();
    await soon(() => job.locator("progress").evaluate((bar) => (bar as HTMLProgressElement).value)).toBeGreaterThan(0);
    await stage.server.kill();
    await stage.server.restart();
    await job.getByText("800 words in 400 messages", { exact: true }).waitFor({ timeout: 60_000 });
    await soon(() => ada.tool.locator("[data-job=completed]").count()).toBe(1);
    await ada.tool.getByRole("button", { name: "Count the words" }).click();
    await grace.tool.getByRole("button", { name: "Cancel" }).first().click();
    await ada.tool.getByText("Cancelled by Grace").waitFor();
  }, 120_000);

  it("shows markup and scripts in cards, proposals and the note as text", async () => {
    const [ada, grace] = await bothAt("inert-tools", "Board");
    const payload = `<img src=x onerror="document.title='taken'"><script>document.title='taken'</script>`;
    await ada.addCard(payload);
    await soon(() => grace.cards()).toEqual([payload]);
    for (const visitor of [ada, grace]) await visitor.openTool("Votes");
    await ada.propose(payload, [payload, "javascript:document.title='taken'"]);
    await grace.proposal(payload).waitFor();
    await grace.choose(payload, payload);
    await soon(() => ada.votes(payload)).toEqual([`${payload} 1`, "javascript:document.title='taken' 0"]);
    for (const visitor of [ada, grace]) await visitor.openTool("Note");
    await ada.tool.getByRole("button", { name: "Write" }).click();
    await ada.tool.getByLabel("Write the note").fill(payload);
    await ada.tool.getByRole("button", { name: "Save and let go" }).click();
    await grace.tool.getByText(payload).waitFor();
    expect(await grace.page.locator(".tool :is(img, script, a)").count()).toBe(0);
    for (const visitor of [ada, grace]) expect(await visitor.page.title()).toBe("inert-tools · Tandem");
  });

  it("loads no code for it before it is opened; by keyboard it is opened, used and closed", async () => {
    const ada = await stage.arrive({ room: "keys-tools", name: "Ada" });
    /** Code that the page itself does not name. */
    const loaded = () =>
      ada.page.evaluate(() => {
        const named = new Set([...document.querySelectorAll("script")].map(({ src }) => src));
        const names = performance.getEntriesByType("resource").map(({ name }) => name);
        return names.filter((name) => name.endsWith(".js") && !named.has(name)).length;
      });
    await ada.connection("connected").waitFor();
    await ada.page.getByRole("button", { name: "Votes", exact: true }).focus();
    expect(await loaded()).toBe(0);
    const { keyboard } = ada.page;
    await keyboard.press("Enter");
    await ada.tool.getByRole("button", { name: "Propose" }).waitFor();
    expect(await loaded()).toBeGreaterThan(0);
    await soon(() =>
      ada.tool.getByRole("heading", { name: "Votes" }).evaluate((e) => e === document.activeElement),
    ).toBe(true);
    await keyboard.press("Tab");
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    await keyboard.type("By keys?");
    await keyboard.press("Enter");
    const proposal = ada.proposal("By keys?");
    await proposal.waitFor();
    await proposal.getByRole("button", { name: /^Yes/ }).focus();
    await keyboard.press("Space");
    await soon(() => ada.votes("By keys?")).toEqual(["Yes 1*", "No 0"]);
    await keyboard.press("Escape");
    await ada.tool.waitFor({ state: "detached" });
    await soon(() => ada.page.evaluate(() => document.activeElement?.textContent)).toBe("Votes");
    await keyboard.press("Escape");
    await soon(() => ada.field.evaluate((field) => field === document.activeElement)).toBe(true);
  });

  it("is tidy on a phone: a tool stands before the messages", async () => {
    const phone = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true };
    const ada = await stage.arrive({ room: "phone-tools", name: "Ada" }, phone);
    await ada.connection("connected").waitFor();
    await ada.openTool("Board");
    await ada.addCard("unbreakable".repeat(15));
    await ada.openTool("Votes");
    await ada.propose("unbreakable".repeat(20), ["wide".repeat(40), "b"]);
    expect(await wider(ada)).toBeLessThanOrEqual(0);
    expect(await ada.field.isVisible()).toBe(false);
    await ada.tool.getByRole("button", { name: "Close votes" }).tap();
    await soon(() => ada.field.isVisible()).toBe(true);
  });

  /** Two people in one room with the same tool open. */
  async function bothAt(room: string, tool: "Votes" | "Board" | "Note" | "Jobs"): Promise<[Visitor, Visitor]> {
    const both = await stage.two(room);
    for (const visitor of both) await visitor.openTool(tool);
    return both;
  }
});

/** Drags a card by its handle to just above another. */
async function drag({ page, tool }: Visitor, card: string, before: string): Promise<void> {
  const handle = tool.getByRole("button", { name: `Move ${card}`, exact: true });
  const [from, to] = [
    await handle.boundingBox(),
    await tool.getByRole("button", { name: `Move ${before}`, exact: true }).boundingBox(),
  ];
  if (!from || !to) throw new Error("There is nothing to drag.");
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
  await page.mouse.down();
  await page.mouse.move(to.x + to.width / 2, to.y - 4, { steps: 8 });
  await page.mouse.up();
}

/** How many pixels wider than their place things are. */
function wider({ page }: Visitor): Promise<number> {
  return page.evaluate(() =>
    Math.max(
      document.documentElement.scrollWidth - window.innerWidth,
      ...[...document.querySelectorAll(".tool-body, .tool-bar")].map((e) => e.scrollWidth - e.clientWidth),
    ),
  );
}
