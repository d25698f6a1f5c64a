import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectWebSocket } from "@tandem/client";
import { silentLogger, systemRuntime } from "@tandem/runtime";
import { LOG_FILE } from "@tandem/server";
import { DataFolder } from "../data-folder.ts";
import { freePort } from "../free-port.ts";
import { ServerProcess } from "../server-process.ts";
import { Publisher } from "./publisher.ts";
import { Receiver } from "./receiver.ts";
import { readStoredLog } from "./stored-log.ts";
import { sumOf, tallyOf } from "./tally.ts";
import { Text } from "./text.ts";
import type { Trace } from "./trace.ts";
import { TraceError } from "./trace.ts";

/** Publishes that have to be on their way, without an answer, when the server is killed. */
export const LEAST_UNACKNOWLEDGED = 64;

/** Longest time without any progress, in milliseconds, after which a replay is given up. */
const STANDSTILL_MS = 90_000;

const RECEIVERS = 2;
const ID = "replay";

export interface ReplayOptions {
  readonly kills: number;
  /** Folder for the database. Default: the system's folder for temporary files. */
  readonly folder?: string | undefined;
  /** Told how many transactions are durable, and of each kill. */
  progress?(durable: number, kills: number): void;
}

export interface ReplayResult {
  readonly transactions: number;
  readonly kills: number;
  /** Both receivers ended with the trace's own text. */
  readonly equal: boolean;
  /** Transactions missing from the stored log, or from what a receiver's connections brought; summed over the three. */
  readonly lost: number;
  /** Copies beyond the first, in the stored log or among what a receiver's connections brought; summed over the three. */
  readonly duplicated: number;
  /** The log stands in the trace's order without a gap in its offsets. */
  readonly inOrder: boolean;
  /** Deliveries that did not begin where the one before ended, and resets. */
  readonly breaks: number;
  /** Publishes whose outcome was answered from the log's marks: an earlier attempt had stored them. */
  readonly answeredFromMarks: number;
  /** Publishes sent and without an answer when the server was killed, of which no answer came after; the least of all kills. */
  readonly unacknowledgedAtKill: number;
  readonly seconds: number;
}

/** Did everything take effect exactly once, in order, everywhere? */
export function isClean(result: ReplayResult): boolean {
  const { equal, lost, duplicated, inOrder, breaks } = result;
  return equal && inOrder && lost === 0 && duplicated === 0 && breaks === 0;
}

/** The first `count` transactions of a trace, and the text that they lead to. */
export function firstOf(trace: Trace, count: number): Trace {
  const transactions = trace.transactions.slice(0, count);
  if (transactions.length === trace.transactions.length) return trace;
  const text = new Text(trace.startContent);
  for (const patches of transactions) text.apply(patches);
  return { startContent: trace.startContent, endContent: text.toString(), transactions };
}

/**
 * Drives a trace through a real server in a process of its own: one client publishes each transaction as an event, two others apply
 * them. The server is killed (SIGKILL) `kills` times, spread over the trace, and started again on the same data: in turns
 * while answers to publishes that it has stored are on their way, and while publishes are on their way to it.
 *
 * @throws TraceError when the trace is too short for so many kills
 * @throws Error when a publish is not stored, a receiver cannot go on, or nothing moves for 90 s
 */
export async function replay(trace: Trace, options: ReplayOptions): Promise<ReplayResult> {
  const { transactions, startContent, endContent } = trace;
  const kills = killPoints(transactions.length, options.kills);
  const data = new DataFolder(options.folder);
  const config = fileURLToPath(new URL("./tandem.config.ts", import.meta.url));
  const server = new ServerProcess({ port: await freePort(), data: data.path, config });
  const runtime = systemRuntime(silentLogger);
  const opened: (Publisher | Receiver)[] = [];
  const began = performance.now();
  try {
    await server.start();
    const receivers = Array.from({ length: RECEIVERS }, () => {
      const receiver = new Receiver(server.url, ID, startContent, connectWebSocket, runtime);
      opened.push(receiver);
      return receiver;
    });
    const publisher = new Publisher(server.url, ID, connectWebSocket, runtime);
    opened.push(publisher);
    /** Of each kill, how many publishes were unacknowledged. */
    const found: number[] = [];

    const strike = async (): Promise<void> => {
      const underWay = found.length % 2 === 0 ? "answers" : "publishes";
      await new Promise<void>((gone, failed) => {
        publisher.wire.cut(underWay, LEAST_UNACKNOWLEDGED, () => {
          server.kill().then(gone, failed);
          found.push(publisher.wire.unacknowledged);
        });
      });
      options.progress?.(publisher.durable, found.length);
      await server.start();
      await publisher.connected();
    };
    const drive = async (): Promise<void> => {
      await Promise.all(receivers.map((receiver) => receiver.standing()));
      let striking = Promise.resolve();
      for (const [index, patches] of transactions.entries()) {
        if (kills.has(index)) {
          await striking;
          striking = strike();
          striking.catch(() => undefined);
        }
        await publisher.publish(index, patches);
        if (index % 100 === 0) options.progress?.(publisher.durable, found.length);
      }
      await striking;
      await publisher.drained();
      await Promise.all(receivers.map((receiver) => receiver.upTo(transactions.length)));
    };
    await guarded(
      drive(),
      () => publisher.durable + receivers.reduce((sum, { applied }) => sum + applied, found.length),
    );
    const failure = receivers.find((receiver) => receiver.failure)?.failure;
    if (failure) throw failure;
    await Promise.all(opened.splice(0).map((client) => client.close()));
    await server.stop();

    const stored = readStoredLog(join(data.path, LOG_FILE), `default/text:${ID}`);
    const counts = [stored.counts, ...receivers.map(({ deliveries }) => deliveries.counts)];
    return {
      transactions: transactions.length,
      kills: found.length,
      equal: receivers.every(({ text }) => text === endContent),
      ...sumOf(counts.map((of) => tallyOf(of, transactions.length))),
      inOrder: stored.inOrder,
      breaks: receivers.reduce((sum, { deliveries }) => sum + deliveries.breaks, 0),
      answeredFromMarks: publisher.wire.answeredFromMarks,
      unacknowledgedAtKill: found.length === 0 ? 0 : Math.min(...found),
      seconds: Math.round((performance.now() - began) / 100) / 10,
    };
  } finally {
    await Promise.all(opened.map((client) => client.close()));
    await server.kill();
    data.remove();
  }
}

/** Before which transactions to strike: spread evenly, with enough to publish after each. */
function killPoints(transactions: number, kills: number): Set<number> {
  const distance = Math.floor(transactions / (kills + 1));
  if (kills > 0 && distance < LEAST_UNACKNOWLEDGED + 1) {
    throw new TraceError(
      `${transactions} transactions are too few for ${kills} kills: each needs more than ${LEAST_UNACKNOWLEDGED} after it.`,
    );
  }
  return new Set(Array.from({ length: kills }, (_, kill) => distance * (kill + 1)));
}

/** Waits for `work`, unless what it is measured by stands still. */
async function guarded(work: Promise<void>, progress: () => number): Promise<void> {
  let [last, since] = [progress(), performance.now()];
  let timer: NodeJS.Timeout | undefined;
  const still = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      const now = progress();
      if (now !== last) [last, since] = [now, performance.now()];
      else if (performance.now() - since > STANDSTILL_MS)
        reject(new Error(`nothing has moved for ${STANDSTILL_MS / 1000} s`));
    }, 1_000);
  });
  try {
    await Promise.race([work, still]);
  } finally {
    clearInterval(timer);
  }
}
