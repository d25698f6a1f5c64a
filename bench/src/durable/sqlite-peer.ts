/**
 * The peer `sqlite`, a process of its own: the log's own tables and statements, called one after the other in one thread, all that
 * the publishers have in flight in each commit. No sockets, no threads to cross, no answers.
 *
 *     node bench/src/durable/sqlite-peer.ts FILE CHANNELS WARM_UP_MS MEASURE_MS
 */
import { mintProducer } from "@tandem/protocol";
import { systemRuntime } from "@tandem/runtime";
import type { Append } from "@tandem/server/sqlite";
import { Committer, DEFAULT_LOG_BOUNDS, openToWrite } from "@tandem/server/sqlite";
import { channelOf, EVENT, PAYLOAD, WORK } from "./work.ts";

const [file = "", channels = "64", warmUpMs = "0", measureMs = "0"] = process.argv.slice(2);
const runtime = systemRuntime();
const database = openToWrite(file);
const committer = new Committer(database, DEFAULT_LOG_BOUNDS);
const publishers = Array.from({ length: WORK.publishers }, (_, index) => ({
  channel: `default/${channelOf(index, Number(channels))}`,
  id: mintProducer(runtime.now(), runtime.randomId()),
  user: `guest~${index}`,
  seq: 0,
}));
const digest = "0".repeat(20);

/** All that is in flight: of each publisher the next ones, in the order in which they would come. */
function batch(): Append[] {
  const now = runtime.now();
  const appends: Append[] = [];
  for (const publisher of publishers) {
    for (let at = 0; at < WORK.inFlight; at++) {
      const { channel, id, user } = publisher;
      const event = { type: EVENT, version: 1, data: PAYLOAD, author: user, trace: undefined };
      appends.push({
        channel,
        producer: { id, user, seq: ++publisher.seq, digest },
        events: [event],
        now,
        birth: "birth",
      });
    }
  }
  return appends;
}

function commit(): number {
  const appends = batch();
  const results = committer.transaction(() => appends.map((append) => committer.append(append)));
  if (results.some(({ kind }) => kind !== "committed")) throw new Error("an append was not committed");
  return appends.length;
}

let stored = 0;
for (const end = runtime.elapsed() + Number(warmUpMs); runtime.elapsed() < end; ) stored += commit();
const start = runtime.elapsed();
const before = stored;
while (runtime.elapsed() < start + Number(measureMs)) stored += commit();
const publishesPerSecond = ((stored - before) * 1000) / (runtime.elapsed() - start);
const rows = Number(database.prepare("SELECT count(*) AS rows FROM message_log").get()?.rows);
if (rows !== stored) throw new Error(`${stored} were committed and ${rows} are stored`);
database.close();
process.stdout.write(JSON.stringify({ publishesPerSecond, stored }));
