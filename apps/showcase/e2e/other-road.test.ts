import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Behaviour } from "../../server/e2e/middlebox.ts";
import { Middlebox } from "../../server/e2e/middlebox.ts";
import { hasChromium, launchChromium } from "./chromium.ts";
import { ServerProcess } from "./server-process.ts";
import { Visitor } from "./visitor.ts";

let server: ServerProcess;
let browser: Browser;
const toClose: (() => Promise<void>)[] = [];

/** Two people in one room, both behind the same middlebox. */
async function two(room: string, behaviour: Partial<Behaviour>) {
  const box = await Middlebox.start([Number(new URL(server.url).port)], behaviour);
  toClose.push(() => box.close());
  const url = `http://127.0.0.1:${box.port}`;
  const arrive = (name: string) => Visitor.arrive(browser, { url, room, name });
  const [ada, grace] = await Promise.all([arrive("Ada"), arrive("Grace")]);
  toClose.push(
    () => ada.leave(),
    () => grace.leave(),
  );
  return { box, ada, grace };
}

const over = (visitor: Visitor, transport: string) => visitor.page.locator(`[data-transport="${transport}"]`);

async function talk(ada: Visitor, grace: Visitor, about: string): Promise<void> {
  await ada.write(`${about}: Ada`);
  await grace.message(`${about}: Ada`).waitFor();
  await grace.write(`${about}: Grace`);
  await ada.message(`${about}: Grace`).waitFor();
  await expect.poll(() => ada.delivery(`${about}: Ada`)).toBe("durable");
}

describe.skipIf(!hasChromium)("a room where WebSockets are blocked", () => {
  beforeAll(async () => {
    [server, browser] = await Promise.all([ServerProcess.start(), launchChromium()]);
  });

  afterEach(async () => {
    for (const close of toClose.splice(0).reverse()) await close();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  it("T6 G3: works over server-sent events, through cuts, and comes back to a WebSocket when it can", async () => {
    const { box, ada, grace } = await two("refused", { upgrades: "refuse", cutsAfterMs: 3_000 });
    for (const visitor of [ada, grace]) await over(visitor, "sse").waitFor();
    for (const about of ["first", "second", "third"]) {
      await talk(ada, grace, about);
      box.kill();
    }
    expect(box.count("upgrade")).toBe(0);
    // A page that is opened now does not wait for a WebSocket first.
    await grace.page.reload();
    await over(grace, "sse").waitFor();
    box.behaviour.upgrades = "pass";
    for (const visitor of [ada, grace]) await over(visitor, "websocket").waitFor({ timeout: 60_000 });
    await talk(ada, grace, "back");
    const all = ["first", "second", "third", "back"].flatMap((about) => [`${about}: Ada`, `${about}: Grace`]);
    expect(await ada.texts()).toEqual(all);
    expect(await grace.texts()).toEqual(all);
    expect([...ada.errors, ...grace.errors]).toEqual([]);
  }, 120_000);

  it("T6: works over long polls where responses are held back, too", async () => {
    const { ada, grace } = await two("held-back", { upgrades: "swallow", buffers: true });
    for (const visitor of [ada, grace]) await over(visitor, "poll").waitFor();
    for (const about of ["first", "second"]) await talk(ada, grace, about);
    expect(await ada.texts()).toEqual(await grace.texts());
    expect([...ada.errors, ...grace.errors]).toEqual([]);
  }, 120_000);
});
