/**
 * Measures the room page in a real browser while pointers move over it: 49 members without a page, each ten times a second, seen by one visitor.
 * Frames are counted in the page by the times between its animation frames; the work of its main thread is what the browser itself accounts.
 * The same page with nobody moving is measured beside it: more frames than there the machine does not give.
 *
 *     node scripts/frames.ts [--members 50] [--seconds 10] [--json]
 */
import { parseArgs } from "node:util";
import type { CDPSession } from "playwright-core";
import { launchChromium } from "../apps/showcase/e2e/chromium.ts";
import { Crowd } from "../apps/showcase/e2e/crowd.ts";
import { ServerProcess } from "../apps/showcase/e2e/server-process.ts";
import { Visitor } from "../apps/showcase/e2e/visitor.ts";

const { values } = parseArgs({
  options: {
    members: { type: "string", default: "50" },
    seconds: { type: "string", default: "10" },
    json: { type: "boolean", default: false },
  },
});
const [members, seconds] = [Number(values.members), Number(values.seconds)];

/** What the page saw of its own frames. Times are in milliseconds. */
interface Frames {
  readonly framesPerSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Tasks that kept the main thread for more than 50 ms. */
  readonly longTasks: number;
  /** Pointers whose place was drawn anew, a second. */
  readonly movesPerSecond: number;
}

interface Measured extends Frames {
  /** Work of the page's main thread for one frame: all of it, and of that scripts, styles and layout. */
  readonly workMs: number;
  readonly scriptMs: number;
  readonly styleAndLayoutMs: number;
}

/** Runs in the page. */
async function watchFrames(spanMs: number): Promise<Frames> {
  let longTasks = 0;
  const tasks = new PerformanceObserver((list) => {
    longTasks += list.getEntries().length;
  });
  tasks.observe({ type: "longtask" });
  let moves = 0;
  const drawn = new MutationObserver((records) => {
    moves += records.length;
  });
  const column = document.querySelector(".cursor-column");
  if (column) drawn.observe(column, { subtree: true, attributeFilter: ["style"] });
  const times: number[] = [];
  await new Promise<void>((done) => {
    const frame = (now: number) => {
      times.push(now);
      if (now - (times[0] ?? now) < spanMs) requestAnimationFrame(frame);
      else done();
    };
    requestAnimationFrame(frame);
  });
  tasks.disconnect();
  drawn.disconnect();
  const deltas = times.slice(1).map((time, index) => time - (times[index] ?? time));
  const took = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1_000;
  deltas.sort((a, b) => a - b);
  const at = (share: number) => deltas[Math.floor(share * (deltas.length - 1))] ?? 0;
  return {
    framesPerSecond: deltas.length / took,
    medianMs: at(0.5),
    p99Ms: at(0.99),
    longTasks,
    movesPerSecond: moves / took,
  };
}

async function accounted(session: CDPSession): Promise<(name: string) => number> {
  const { metrics } = await session.send("Performance.getMetrics");
  const byName = new Map(metrics.map(({ name, value }) => [name, value * 1_000]));
  return (name) => byName.get(name) ?? 0;
}

async function measure(visitor: Visitor, session: CDPSession): Promise<Measured> {
  const before = await accounted(session);
  const frames = await visitor.page.evaluate(watchFrames, seconds * 1_000);
  const after = await accounted(session);
  const perFrame = (name: string) => (after(name) - before(name)) / (frames.framesPerSecond * seconds);
  return {
    ...frames,
    workMs: perFrame("TaskDuration"),
    scriptMs: perFrame("ScriptDuration"),
    styleAndLayoutMs: perFrame("RecalcStyleDuration") + perFrame("LayoutDuration"),
  };
}

const server = await ServerProcess.start();
const browser = await launchChromium();
const room = "frames";
try {
  const visitor = await Visitor.arrive(browser, { url: server.url, room, name: "Ada" });
  await visitor.connection("connected").waitFor();
  for (let number = 1; number <= 12; number++) await visitor.write(`Something to point at, number ${number}.`);
  const crowd = await Crowd.enter(server.url, room, members - 1);
  await visitor.people.filter({ hasText: `${members} here` }).waitFor();
  const session = await visitor.page.context().newCDPSession(visitor.page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const still = await measure(visitor, session);
  crowd.move();
  await visitor.page.waitForFunction(
    (count) => document.querySelectorAll(".cursor-shown").length === count,
    members - 1,
  );
  const moving = await measure(visitor, session);
  await crowd.leave();
  if (values.json) console.log(JSON.stringify({ members, seconds, still, moving }));
  else {
    console.log(`${members} members, ${seconds} s`);
    console.table({ "nobody moves": rounded(still), "all move": rounded(moving) });
  }
} finally {
  await browser.close();
  await server.stop();
}

function rounded(measured: Measured): Record<string, number> {
  return Object.fromEntries(Object.entries(measured).map(([name, value]) => [name, Math.round(value * 100) / 100]));
}
