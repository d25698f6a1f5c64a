/**
 * A program for tests: publishes into a log file from many producers, tries again what was refused, and tells of each
 * answer with one `write` call, so that a tracer sees answers and syncs in their order.
 *
 *     node publisher.fixture.ts FILE PRODUCERS IN_FLIGHT APPENDS
 *
 * Prints `open`, then `ack TOKEN OFFSET` for what was stored (TOKEN is its payload), `refused CODE`, `read COUNT` for each
 * read made while the log cannot be written, `writable` or `not-writable REASON`, and `done` once all was stored.
 */
import { writeSync } from "node:fs";
import { bodyDigest, mintProducer, TandemError } from "@tandem/protocol";
import { systemRuntime } from "@tandem/runtime";
import { createSqliteLog } from "../sqlite.ts";

const [file = "", producers = "1", inFlight = "1", total = "1"] = process.argv.slice(2);
const runtime = systemRuntime();
const tell = (line: string) => writeSync(1, `${line}\n`);
const log = await createSqliteLog({ file, runtime });
tell("open");

let left = Number(total);
let reading = false;
let writable = true;

async function readMeanwhile(): Promise<void> {
  if (reading) return;
  reading = true;
  const result = await log.read("acme/room:0", 0, { events: 1_000_000, bytes: 1e9 });
  tell(`read ${result.kind === "run" ? result.events.length : result.reason}`);
  reading = false;
}

/** Stores one event, however often it takes. */
async function store(channel: string, id: string, seq: number, token: string): Promise<void> {
  const data = JSON.stringify(token);
  const producer = { id, user: "ann", seq, digest: bodyDigest("said", 1, data) };
  const events = [{ type: "said", version: 1, data, author: "ann", trace: undefined }];
  for (;;) {
    try {
      const [result] = await log.append([{ channel, producer, events, now: runtime.now(), birth: runtime.randomId() }]);
      if (result?.kind === "committed") return void tell(`ack ${token} ${result.offset}`);
      if (result?.kind === "settled" && result.outcome.kind === "committed") {
        return void tell(`ack ${token} ${result.outcome.position.offset}`);
      }
      // One before it was refused, and is tried again.
      if (result?.kind !== "out-of-sequence") throw new Error(`answered ${result?.kind}`);
    } catch (error) {
      if (!(error instanceof TandemError)) throw error;
      tell(`refused ${error.code}`);
      await readMeanwhile();
    }
    await new Promise<void>((resolve) => void runtime.timer(100, resolve));
  }
}

async function publish(index: number): Promise<void> {
  const id = mintProducer(runtime.now(), runtime.randomId());
  let seq = 0;
  const one = async () => {
    while (left-- > 0) {
      const mine = ++seq;
      await store(`acme/room:${index % 8}`, id, mine, `token-${index}-${mine}-end`);
    }
  };
  await Promise.all(Array.from({ length: Number(inFlight) }, one));
}

const watch = setInterval(() => {
  const health = log.health();
  if (health.writable === writable) return;
  writable = health.writable;
  tell(health.writable ? "writable" : `not-writable ${health.reason}`);
}, 20);

await Promise.all(Array.from({ length: Number(producers) }, (_, index) => publish(index)));
clearInterval(watch);
await log.close();
tell("done");
