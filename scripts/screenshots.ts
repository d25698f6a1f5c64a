/**
 * Makes the pictures in docs/images from the real page: people in a room, seen by one of them.
 *
 *     node scripts/screenshots.ts            docs/images/room.png
 *     node scripts/screenshots.ts --all DIR  the room in light, dark and on a phone, and the other states, into DIR
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { launchChromium } from "../apps/showcase/e2e/chromium.ts";
import { Crowd } from "../apps/showcase/e2e/crowd.ts";
import { ServerProcess } from "../apps/showcase/e2e/server-process.ts";
import { Visitor } from "../apps/showcase/e2e/visitor.ts";

const IMAGES = fileURLToPath(new URL("../docs/images", import.meta.url));
const WIDE = { viewport: { width: 1_240, height: 770 }, deviceScaleFactor: 2 };
const DESK = { viewport: { width: 940, height: 770 }, deviceScaleFactor: 2 };
const PHONE = { viewport: { width: 360, height: 700 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

const CONVERSATION: readonly (readonly ["ada" | "grace", string])[] = [
  ["grace", "Morning! Did the server come back?"],
  ["ada", "It did. I killed it three times while we were both writing."],
  ["ada", "Everything is here, in one order, each line once."],
  ["grace", "Lovely. What happens if you drop out in the middle of a sentence?"],
  ["ada", "Then it waits here and goes out in order when I am back. I am on a train, so let us see."],
];
const BESIDE = ["Alan Turing", "Barbara Liskov", "Radia Perlman", "Lynn Conway", "Leslie Lamport"];
const POINTED: readonly (readonly [number, number])[] = [
  [0.12, 0.52],
  [0.72, 0.26],
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

/** The room as Ada sees it: who is there, where they point, that Grace is typing, and what is put to the vote. */
async function roomPicture(browser: Browser, url: string, room: string, file: string, options: BrowserContextOptions) {
  const { ada, grace } = await people(browser, url, room, options);
  if (!options.isMobile) await decide(ada, grace);
  const crowd = await Crowd.enter(url, room, BESIDE);
  await ada.people.filter({ hasText: `${BESIDE.length + 2} here` }).waitFor();
  await grace.field.pressSequentially("Tunnel in three, two, one…");
  await grace.point(0.55, 0.8);
  for (const [index, [x, y]] of POINTED.entries()) crowd.point(index, x, y);
  await ada.page.locator("[data-typing]").waitFor();
  await still(ada, file);
  await Promise.all([crowd.leave(), ada.leave(), grace.leave()]);
}

/** The same with fifty, and then the list of them. */
async function crowdPictures(browser: Browser, url: string, file: (name: string) => string) {
  const { ada, grace } = await people(browser, url, "crowd", DESK);
  const crowd = await Crowd.enter(url, "crowd", 48);
  await ada.people.filter({ hasText: "50 here" }).waitFor();
  crowd.move();
  await ada.page.waitForFunction(() => document.querySelectorAll(".cursor-shown").length === 48);
  await still(ada, file("crowd"));
  crowd.rest();
  await ada.people.click();
  await still(ada, file("people"));
  await Promise.all([crowd.leave(), ada.leave(), grace.leave()]);
}

/** Ada's last messages wait for her connection. */
async function tunnelPicture(browser: Browser, url: string, file: string) {
  const { ada, grace } = await people(browser, url, "tunnel", DESK);
  await ada.switch.click();
  await ada.connection("offline").waitFor();
  for (const text of IN_THE_TUNNEL) {
    await ada.write(text);
    await ada.message(text).waitFor();
  }
  await still(ada, file);
  await Promise.all([ada.leave(), grace.leave()]);
}

/** The tools beside the messages, in use by two. */
async function toolPictures(
  browser: Browser,
  url: string,
  room: string,
  file: (name: string) => string,
  options: BrowserContextOptions,
) {
  const { ada, grace } = await people(browser, url, room, options);
  await decide(ada, grace);
  await still(ada, file("votes"));
  await ada.tool.getByRole("button", { name: "Propose" }).click();
  await still(ada, file("propose"));
  await ada.page.keyboard.press("Escape");
  for (const visitor of [ada, grace]) await visitor.openTool("Board");
  for (const title of ["Kill the server once more", "Write it down", "Ride through the tunnel", "Lunch"]) {
    await ada.addCard(title);
  }
  await grace.tool.getByLabel("Done: Write it down").check();
  await ada.switch.click();
  await ada.connection("offline").waitFor();
  await grace.retitle("Lunch", "Lunch with Radia");
  await ada.retitle("Lunch", "Late lunch");
  await ada.switch.click();
  await ada.tool.getByRole("button", { name: "Restore mine" }).waitFor();
  await ada.switch.click();
  await ada.addCard("Tell the others");
  await still(ada, file("board"));
  await ada.switch.click();
  for (const visitor of [ada, grace]) await visitor.openTool("Note");
  await grace.tool.getByRole("button", { name: "Write" }).click();
  await grace.tool.getByLabel("Write the note").fill("What we found:\n\n- nothing is lost\n- nothing comes twice");
  await ada.tool.getByRole("button", { name: "Ask for it" }).click();
  await grace.tool.getByText("Ada asks for it").waitFor();
  await still(ada, file("note-waiting"));
  await grace.tool.getByRole("button", { name: "Save and hand over" }).click();
  await ada.tool.getByLabel("Write the note").waitFor();
  await still(ada, file("note"));
  await ada.openTool("Jobs");
  await ada.tool.getByRole("button", { name: "Count the words" }).click();
  await ada.tool.locator("[data-job=completed]").waitFor();
  await still(ada, file("jobs"));
  await Promise.all([ada.leave(), grace.leave()]);
}

/** Two questions: one is open, one was decided. */
async function decide(ada: Visitor, grace: Visitor): Promise<void> {
  for (const visitor of [ada, grace]) await visitor.openTool("Votes");
  await ada.propose("Who rides along?", ["Radia", "Lynn"], { "Least voters": "3" });
  await grace.proposal("Who rides along?").waitFor();
  await grace.choose("Who rides along?", "Radia");
  await ada.proposal("Who rides along?").getByRole("button", { name: "Close and count" }).click();
  await grace.propose("When do we kill it again?", ["Before lunch", "After lunch", "Never"], {
    Closes: "In 5 minutes",
  });
  await ada.proposal("When do we kill it again?").waitFor();
  await ada.choose("When do we kill it again?", "After lunch");
  await grace.choose("When do we kill it again?", "Before lunch");
  await ada.proposal("When do we kill it again?").getByText("2 voted").waitFor();
}

async function still({ page }: Visitor, file: string): Promise<void> {
  await page.waitForTimeout(400);
  await page.screenshot({ path: file, animations: "disabled" });
}

async function everything(browser: Browser, url: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await roomPicture(browser, url, "launch-day", join(folder, "light.png"), WIDE);
  await roomPicture(browser, url, "launch-night", join(folder, "dark.png"), { ...WIDE, colorScheme: "dark" });
  await roomPicture(browser, url, "pocket", join(folder, "phone.png"), PHONE);
  await roomPicture(browser, url, "pocket-night", join(folder, "phone-dark.png"), { ...PHONE, colorScheme: "dark" });
  await crowdPictures(browser, url, (name) => join(folder, `${name}.png`));
  await tunnelPicture(browser, url, join(folder, "tunnel.png"));
  await toolPictures(browser, url, "tools", (name) => join(folder, `${name}.png`), WIDE);
  await toolPictures(browser, url, "tools-night", (name) => join(folder, `${name}-dark.png`), {
    ...WIDE,
    colorScheme: "dark",
  });
  await toolPictures(browser, url, "tools-pocket", (name) => join(folder, `${name}-phone.png`), PHONE);
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
    await roomPicture(browser, server.url, "launch-day", join(IMAGES, "room.png"), WIDE);
  }
} finally {
  await browser.close();
  await server.stop();
}
