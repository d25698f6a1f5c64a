/**
 * Makes the pictures in docs/images from the real page: two people in a room, seen by one of them.
 *
 *     node scripts/screenshots.ts            docs/images/room.png
 *     node scripts/screenshots.ts --all DIR  the room in light, dark and on a phone, and the other states, into DIR
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { launchChromium } from "../apps/showcase/e2e/chromium.ts";
import { ServerProcess } from "../apps/showcase/e2e/server-process.ts";
import { Visitor } from "../apps/showcase/e2e/visitor.ts";

const IMAGES = fileURLToPath(new URL("../docs/images", import.meta.url));
const DESK = { viewport: { width: 940, height: 770 }, deviceScaleFactor: 2 };
const PHONE = { viewport: { width: 360, height: 700 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

const CONVERSATION: readonly (readonly ["ada" | "grace", string])[] = [
  ["grace", "Morning! Did the server come back?"],
  ["ada", "It did. I killed it three times while we were both writing."],
  ["ada", "Everything is here, in one order, each line once."],
  ["grace", "Lovely. What happens if you drop out in the middle of a sentence?"],
  ["ada", "Then it waits here and goes out in order when I am back. I am on a train, so let us see."],
  ["grace", "Tunnel in three, two, one…"],
];
const IN_THE_TUNNEL = ["And here it is: no connection, but I can keep writing.", "This goes out when I am back."];

async function people(browser: Browser, url: string, room: string, options: BrowserContextOptions) {
  const [ada, grace] = await Promise.all([
    Visitor.arrive(browser, { url, room, name: "Ada" }, options),
    Visitor.arrive(browser, { url, room, name: "Grace" }),
  ]);
  const by = { ada, grace };
  for (const visitor of [ada, grace]) await visitor.connection("connected").waitFor();
  for (const [who, text] of CONVERSATION) {
    await by[who].write(text);
    for (const visitor of [ada, grace]) await visitor.message(text).waitFor();
  }
  await ada.page.locator(".connection .detail:not(:empty)").waitFor();
  return by;
}

/** The room as Ada sees it: her last messages wait for her connection. */
async function roomPicture(browser: Browser, url: string, room: string, file: string, options: BrowserContextOptions) {
  const { ada, grace } = await people(browser, url, room, options);
  await ada.switch.click();
  await ada.connection("offline").waitFor();
  for (const text of IN_THE_TUNNEL) {
    await ada.write(text);
    await ada.message(text).waitFor();
  }
  await still(ada, file);
  await Promise.all([ada.leave(), grace.leave()]);
}

async function still({ page }: Visitor, file: string): Promise<void> {
  await page.waitForTimeout(400);
  await page.screenshot({ path: file, animations: "disabled" });
}

async function everything(browser: Browser, url: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await roomPicture(browser, url, "launch-day", join(folder, "light.png"), DESK);
  await roomPicture(browser, url, "launch-night", join(folder, "dark.png"), { ...DESK, colorScheme: "dark" });
  await roomPicture(browser, url, "pocket", join(folder, "phone.png"), PHONE);
  await roomPicture(browser, url, "pocket-night", join(folder, "phone-dark.png"), { ...PHONE, colorScheme: "dark" });
  const newcomer = await Visitor.arrive(browser, { url, room: "quiet" }, DESK);
  await still(newcomer, join(folder, "welcome.png"));
  await newcomer.page.getByLabel("What shall people call you?").fill("Ada");
  await newcomer.page.keyboard.press("Enter");
  await newcomer.page.getByText("Nobody has said anything").waitFor();
  await still(newcomer, join(folder, "empty.png"));
}

const all = process.argv.indexOf("--all");
const folder = all === -1 ? undefined : process.argv[all + 1];
const server = await ServerProcess.start();
const browser = await launchChromium();
try {
  if (folder !== undefined) await everything(browser, server.url, folder);
  else {
    mkdirSync(IMAGES, { recursive: true });
    await roomPicture(browser, server.url, "launch-day", join(IMAGES, "room.png"), DESK);
  }
} finally {
  await browser.close();
  await server.stop();
}
