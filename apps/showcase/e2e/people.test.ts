import { describe, expect, it } from "vitest";
import { hasChromium, launchMortalChromium } from "./chromium.ts";
import { Stage, soon } from "./stage.ts";
import type { Visitor } from "./visitor.ts";

describe.skipIf(!hasChromium)("the people in a room", () => {
  const stage = new Stage();

  it("R1 R3: are shown by name, one person with all devices, from when they come until they close their tab", async () => {
    const ada = await stage.arrive({ room: "presence", name: "Ada" });
    await soon(() => ada.people.textContent()).toContain("Only you");
    const grace = await stage.arrive({ room: "presence", name: "Grace" });
    await soon(() => ada.people.textContent()).toContain("2 here");
    await ada.people.click();
    await soon(() => ada.peopleListed()).toEqual(["Ada (you): Active", "Grace: Active"]);
    const tab = await grace.openTab();
    await tab.connection("connected").waitFor();
    await soon(() => ada.peopleListed()).toEqual(["Ada (you): Active", "Grace: Active, 2 devices"]);
    expect(await tab.people.textContent()).toContain("2 here");
    await tab.page.close();
    await soon(() => ada.peopleListed()).toEqual(["Ada (you): Active", "Grace: Active"]);
    const lists = await textsOver(ada, ".people-list");
    await grace.page.close();
    await soon(() => ada.peopleListed()).toEqual(["Ada (you): Active"]);
    // A goodbye, not a loss: nobody has waited for her.
    expect((await lists()).join()).not.toContain("Reconnecting");
  });

  it("are out of sight while their page is, and are called by a new name at once", async () => {
    const [ada, grace] = await stage.two("names");
    await ada.people.click();
    await soon(() => ada.peopleListed()).toEqual(expect.arrayContaining(["Grace: Active"]));
    await hide(grace, true);
    await soon(() => ada.peopleListed()).toEqual(expect.arrayContaining(["Grace: Away"]));
    await hide(grace, false);
    await soon(() => ada.peopleListed()).toEqual(expect.arrayContaining(["Grace: Active"]));
    await grace.page.getByRole("button", { name: /Change your name/ }).click();
    await grace.page.keyboard.type("Admiral Hopper");
    await grace.page.keyboard.press("Enter");
    await soon(() => ada.peopleListed()).toEqual(expect.arrayContaining(["Admiral Hopper: Active"]));
  });

  it("R3: are reconnecting and then gone when their browser was killed", async () => {
    const ada = await stage.arrive({ room: "killed-browser", name: "Ada" });
    const mortal = await launchMortalChromium();
    const grace = await stage.arrive({ room: "killed-browser", name: "Grace", browser: mortal.browser });
    await grace.connection("connected").waitFor();
    await ada.people.click();
    await soon(() => ada.peopleListed()).toContain("Grace: Active");
    await mortal.kill();
    await soon(() => ada.peopleListed()).toContain("Grace: Reconnecting…");
    await soon(() => ada.peopleListed()).toEqual(["Ada (you): Active"]);
  });

  it("R3: leave when their page is put away, and come back with it", async () => {
    const [ada, grace] = await stage.two("kept-page");
    await soon(() => ada.people.textContent()).toContain("2 here");
    await grace.page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
    await soon(() => ada.people.textContent()).toContain("Only you");
    await grace.page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
    await soon(() => ada.people.textContent()).toContain("2 here");
    await soon(() => grace.people.textContent()).toContain("2 here");
  });

  it("R4: neither leave nor come where a connection was lost for a moment", async () => {
    const { proxy, origin } = await stage.proxy({});
    const ada = await stage.arrive({ room: "moment", name: "Ada" });
    const grace = await stage.arrive({ room: "moment", name: "Grace", url: origin });
    await soon(() => ada.people.textContent()).toContain("2 here");
    const counts = await textsOver(ada, ".people-count");
    for (let cut = 0; cut < 3; cut++) {
      const lost = grace.page.locator("[data-connection]:not([data-connection=connected])").waitFor();
      proxy.kill();
      await lost;
      await grace.connection("connected").waitFor();
    }
    await grace.write("still here");
    await ada.message("still here").waitFor();
    expect(await counts()).toEqual(["2 here"]);
  });

  it("can be listed by keyboard alone, also where they are many", async () => {
    const crowd = await stage.crowd("many", 20);
    const ada = await stage.arrive({ room: "many", name: "Ada" });
    await soon(() => ada.people.textContent()).toContain("21 here");
    expect(await ada.people.textContent()).toContain("+16");
    await ada.people.focus();
    await ada.page.keyboard.press("Enter");
    await ada.page.getByRole("dialog", { name: "Who is here" }).waitFor();
    await soon(async () => (await ada.peopleListed()).length).toBe(21);
    await crowd.leave();
    await soon(() => ada.peopleListed()).toEqual(["Ada (you): Active"]);
    await ada.page.keyboard.press("Escape");
    await ada.page.getByRole("dialog").waitFor({ state: "detached" });
    await soon(() => ada.people.evaluate((button) => button === document.activeElement)).toBe(true);
  });

  it("show that they type, until they send or stop", async () => {
    const [ada, grace] = await stage.two("typing");
    const typing = ada.page.locator("[data-typing]");
    await grace.field.pressSequentially("Hello");
    await soon(() => typing.allTextContents()).toEqual(["Grace is typing…"]);
    expect(await grace.page.locator("[data-typing]").count()).toBe(0);
    await grace.field.press("Enter");
    await ada.message("Hello").waitFor();
    await typing.waitFor({ state: "detached" });
    await grace.field.pressSequentially("Well");
    await typing.waitFor();
    // She thinks about it.
    await typing.waitFor({ state: "detached" });
  });
});

/** Puts a page out of sight, as another tab before it would: a headless browser shows all of them. */
function hide({ page }: Visitor, hidden: boolean): Promise<void> {
  return page.evaluate((isHidden) => {
    const state = isHidden ? "hidden" : "visible";
    Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
    Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

/** Notes every text that an element has from now on. @returns asks for them */
async function textsOver({ page }: Visitor, selector: string): Promise<() => Promise<string[]>> {
  const notes = await page.evaluateHandle((where) => {
    const texts: string[] = [];
    const look = () => {
      const text = document.querySelector(where)?.textContent ?? "(none)";
      if (texts.at(-1) !== text) texts.push(text);
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
    look();
    return texts;
  }, selector);
  return () => notes.jsonValue();
}
