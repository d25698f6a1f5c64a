import { describe, expect, it } from "vitest";
import { hasChromium } from "./chromium.ts";
import { Stage, soon } from "./stage.ts";
import type { Visitor } from "./visitor.ts";

describe.skipIf(!hasChromium)("a room", () => {
  const stage = new Stage();

  it("carries messages both ways, each in one row, marked durable for its author", async () => {
    const [ada, grace] = await stage.two("both-ways");
    await ada.page.getByText("Nobody has said anything").waitFor();
    await ada.write("Hello from Ada");
    await grace.message("Hello from Ada").waitFor();
    await grace.write("Hello from Grace");
    await ada.message("Hello from Grace").waitFor();
    await soon(() => ada.delivery("Hello from Ada")).toBe("durable");
    expect(await ada.texts()).toEqual(["Hello from Ada", "Hello from Grace"]);
    expect(await grace.texts()).toEqual(["Hello from Ada", "Hello from Grace"]);
    expect(await grace.message("Hello from Ada").getAttribute("data-own")).toBe("false");
    await ada.page.reload();
    await ada.message("Hello from Grace").waitFor();
    expect(await ada.message("Hello from Ada").getAttribute("data-own")).toBe("true");
  });

  it("shows markup, scripts and links as text", async () => {
    const [ada, grace] = await stage.two("inert");
    const texts = [`<img src=x onerror="document.title='taken'">`, "javascript:alert(1)", "https://example.org/?a=<b>"];
    for (const text of texts) await ada.write(text);
    for (const text of texts) await grace.message(text).waitFor();
    expect(await grace.page.locator("[data-message] a, [data-message] img, [data-message] script").count()).toBe(0);
    expect(await grace.page.title()).toBe("inert · Tandem");
  });

  it("shows the history on scrolling up, and keeps the place when a page of it comes", async () => {
    await stage.fill("history", 330);
    const ada = await stage.arrive({ room: "history", name: "Ada" });
    await ada.message("message 330").waitFor();
    const held = await ada.held();
    expect(held).toBeLessThan(330);
    for (const top of [500, 0]) {
      const { grown, by } = await movedWhileLoading(ada, top);
      expect(grown).toBeGreaterThan(1_000);
      expect(by).toBeLessThanOrEqual(2);
    }
    const all = Array.from({ length: 330 }, (_, index) => `message ${index + 1}`);
    expect(await ada.everyText()).toEqual(all);
    // Only what is near the view is in the document.
    expect(await ada.page.locator("[data-message]").count()).toBeLessThan(60);
  });

  it("stays with the reader: at the end it follows, elsewhere it tells how many are new", async () => {
    await stage.fill("reading", 80);
    const [ada, grace] = await stage.two("reading");
    await ada.message("message 80").waitFor();
    await grace.write("seen at once");
    await ada.message("seen at once").waitFor();
    await soon(() => ada.message("seen at once").isVisible()).toBe(true);
    await ada.scroller.hover();
    await ada.page.mouse.wheel(0, -1_200);
    await ada.page.getByRole("button", { name: "Newest messages" }).waitFor();
    const [seen = ""] = await ada.textsInView();
    const place = async () => (await ada.message(seen).boundingBox())?.y;
    const before = await place();
    await grace.write("new one");
    await grace.write("new two");
    const pill = ada.page.getByRole("button", { name: "2 new messages" });
    await pill.waitFor();
    expect(await place()).toBeCloseTo(before ?? Number.NaN, 0);
    await pill.click();
    await ada.message("new two").waitFor();
    await pill.waitFor({ state: "detached" });
    expect(await ada.page.getByRole("button", { name: /new messages|Newest/ }).count()).toBe(0);
  });

  it("G5, G14: keeps what is written while disconnected, honestly queued, and sends it in order on return", async () => {
    const [ada, grace] = await stage.two("queue");
    await ada.write("before");
    await grace.message("before").waitFor();
    await ada.switch.click();
    await ada.connection("offline").waitFor();
    for (const text of ["one", "two", "three"]) await ada.write(text);
    for (const text of ["one", "two", "three"]) expect(await ada.delivery(text)).toBe("queued");
    await ada.page.getByText("3 messages wait here").waitFor();
    await grace.write("meanwhile");
    await grace.message("meanwhile").waitFor();
    expect(await grace.texts()).toEqual(["before", "meanwhile"]);
    await ada.switch.click();
    await grace.message("three").waitFor();
    const all = ["before", "meanwhile", "one", "two", "three"];
    await soon(() => grace.texts()).toEqual(all);
    await soon(() => ada.texts()).toEqual(all);
    for (const text of ["one", "two", "three"]) await soon(() => ada.delivery(text)).toBe("durable");
  });

  it("stays at the newest message when what was written meanwhile comes in before one's own", async () => {
    const [ada, grace] = await stage.two("meanwhile");
    await ada.switch.click();
    await ada.connection("offline").waitFor();
    for (let number = 1; number <= 12; number++) await ada.write(`ada ${number}`);
    for (let number = 1; number <= 25; number++) await grace.write(`grace ${number}`);
    await soon(() => grace.delivery("grace 25")).toBe("durable");
    await ada.switch.click();
    await grace.message("ada 12").waitFor();
    await soon(() => ada.delivery("ada 12")).toBe("durable");
    for (const visitor of [ada, grace]) {
      await soon(() => visitor.scroller.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight)).toBeLessThan(2);
    }
  });

  it("G1, G2, G3: loses and doubles nothing when the server is killed while both write", async () => {
    const [ada, grace] = await stage.two("killed");
    const said = (name: string, from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, index) => `${name} ${from + index}`);
    const speak = async (visitor: Visitor, texts: readonly string[]) => {
      for (const text of texts) await visitor.write(text);
    };
    for (const [round, first] of [1, 13, 25].entries()) {
      const speaking = Promise.all([
        speak(ada, said("ada", first, first + 11)),
        speak(grace, said("grace", first, first + 11)),
      ]);
      // In the middle of what they say: after a few of this round's messages were seen on the other side.
      await grace.message(`ada ${first + 3 + round}`).waitFor();
      await stage.server.kill();
      await speaking;
      await stage.server.restart();
      await soon(() => ada.delivery(`ada ${first + 11}`)).toBe("durable");
      await soon(() => grace.delivery(`grace ${first + 11}`)).toBe("durable");
    }
    await ada.message("grace 36").waitFor();
    await grace.message("ada 36").waitFor();
    const late = await stage.arrive({ room: "killed", name: "Late" });
    await late.connection("connected").waitFor();
    await late.message("ada 36").or(late.message("grace 36")).first().waitFor();
    const lists = await Promise.all([ada.everyText(), grace.everyText(), late.everyText()]);
    expect(lists[1]).toEqual(lists[0]);
    expect(lists[2]).toEqual(lists[0]);
    for (const name of ["ada", "grace"]) {
      expect(lists[0].filter((text) => text.startsWith(name))).toEqual(said(name, 1, 36));
    }
    expect(lists[0]).toHaveLength(72);
  }, 180_000);

  it("is tidy on a phone", async () => {
    const phone = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true };
    const ada = await stage.arrive({ room: LONG_ROOM, name: LONG_NAME }, phone);
    await ada.connection("connected").waitFor();
    await ada.write(`${"unbreakable".repeat(30)} and https://example.org/${"path/".repeat(40)}`);
    await ada.write("short");
    await soon(() => ada.delivery("short")).toBe("durable");
    expect(await overflow(ada)).toEqual({ page: 0, list: 0 });
    await ada.switch.tap();
    await ada.connection("offline").waitFor();
    expect(await overflow(ada)).toEqual({ page: 0, list: 0 });
    const field = await ada.field.boundingBox();
    expect((field?.y ?? 0) + (field?.height ?? 0)).toBeLessThanOrEqual(640);
  });

  it.each([640, 700, 900, 1_100])("is tidy on a screen of %i pixels, with many people", async (width) => {
    const crowd = await stage.crowd(LONG_ROOM, 12);
    const ada = await stage.arrive({ room: LONG_ROOM, name: LONG_NAME }, { viewport: { width, height: 600 } });
    await soon(() => ada.people.textContent()).toContain("13 here");
    expect(await overflow(ada)).toEqual({ page: 0, list: 0 });
    await ada.switch.click();
    await soon(() => ada.people.textContent()).toContain("13 were here");
    expect(await overflow(ada)).toEqual({ page: 0, list: 0 });
    await crowd.leave();
  });

  it("can be used by keyboard alone", async () => {
    const ada = await stage.arrive({ room: "keys" });
    const { keyboard } = ada.page;
    await ada.page.getByLabel("What shall people call you?").waitFor();
    await keyboard.type("Ada");
    await keyboard.press("Enter");
    await ada.connection("connected").waitFor();
    await soon(() => focused(ada)).toBe("Message to keys");
    await keyboard.type("first line");
    await keyboard.press("Shift+Enter");
    await keyboard.type("second line");
    await keyboard.press("Enter");
    await soon(() => ada.delivery("first line second line")).toBe("durable");
    // Backwards through the page: the messages, the name, the switch, who is here, the room.
    await keyboard.press("Shift+Tab");
    expect(await focused(ada)).toBe("Messages in keys");
    await keyboard.press("Shift+Tab");
    await keyboard.press("Shift+Tab");
    await keyboard.press("Space");
    await ada.connection("offline").waitFor();
    await keyboard.press("Space");
    await ada.connection("connected").waitFor();
    await keyboard.press("Escape");
    expect(await focused(ada)).toBe("Message to keys");
    await ada.page.getByRole("button", { name: "Go to another room" }).focus();
    await keyboard.press("Enter");
    await ada.page.getByRole("dialog", { name: "Go to another room" }).waitFor();
    await keyboard.press("Escape");
    await ada.page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await focused(ada)).toBe("keysGo to another room");
    await keyboard.press("Enter");
    await soon(() => ada.page.evaluate(() => document.activeElement?.tagName)).toBe("INPUT");
    await keyboard.type("Other Room");
    await keyboard.press("Enter");
    await soon(() => ada.page.url()).toContain("?room=other-room");
    await ada.page.getByText("Nobody has said anything in other-room yet").waitFor();
    await ada.page.goBack();
    await ada.message("first line second line").waitFor();
    expect(await ada.texts()).toEqual(["first line\nsecond line"]);
  });

  it("asks a visitor once, and knows them again", async () => {
    const ada = await stage.arrive({ room: "once" });
    await ada.page.getByLabel("What shall people call you?").fill("Ada");
    await ada.page.getByRole("button", { name: "Enter" }).click();
    await ada.connection("connected").waitFor();
    const secret = await ada.page.evaluate(() => localStorage.getItem("tandem.guest"));
    await ada.page.reload();
    await ada.connection("connected").waitFor();
    expect(await ada.page.getByRole("button", { name: /Change your name/ }).textContent()).toContain("Ada");
    expect(await ada.page.evaluate(() => localStorage.getItem("tandem.guest"))).toBe(secret);
  });
});

const LONG_ROOM = "a-room-with-a-rather-long-name-for-a-pho";
const LONG_NAME = "Ada Augusta King, Countess of Lovelace";

/** How many pixels wider than their place things are. */
function overflow({ page }: Visitor): Promise<{ page: number; list: number }> {
  return page.evaluate(() => ({
    page: document.documentElement.scrollWidth - window.innerWidth,
    list: Math.max(
      ...[...document.querySelectorAll(".scroller, .header-inner")].map((e) => e.scrollWidth - e.clientWidth),
    ),
  }));
}

/**
 * Scrolls so near to the top that a page of history is fetched, and watches the message in the middle of the view from
 * frame to frame: how far it moves, and how much the list grows.
 */
function movedWhileLoading({ scroller }: Visitor, to: number): Promise<{ grown: number; by: number }> {
  return scroller.evaluate(async (element, place) => {
    const frame = () => new Promise((next) => requestAnimationFrame(next));
    const texts = () => [...element.querySelectorAll<HTMLElement>(".text")];
    const height = element.scrollHeight;
    element.scrollTo(0, place);
    // Rows that were never shown are measured now.
    await frame();
    await frame();
    const middle = element.getBoundingClientRect().top + element.clientHeight / 2;
    const watched = texts().find((row) => row.getBoundingClientRect().bottom > middle)?.textContent;
    const tops: number[] = [];
    for (let after = 0; after < 20 && tops.length < 600; ) {
      const row = texts().find((one) => one.textContent === watched);
      tops.push(row?.getBoundingClientRect().top ?? Number.NaN);
      await frame();
      if (element.scrollHeight > height + 1_000) after++;
    }
    return { grown: element.scrollHeight - height, by: Math.max(...tops) - Math.min(...tops) };
  }, to);
}

/** The name of what has the focus. */
function focused({ page }: Visitor): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
  });
}
