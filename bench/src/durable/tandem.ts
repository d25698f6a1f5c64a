import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { LOG_FILE } from "@tandem/server";
import type { Load, LoadResult } from "./load.ts";
import { publishLoad } from "./load.ts";
import type { ServerReport } from "./server.ts";
import { connectTandem } from "./tandem-publisher.ts";
import type { Sending } from "./work.ts";
import { channelOf, WORK } from "./work.ts";

const SERVER = fileURLToPath(new URL("./server.ts", import.meta.url));

export interface TandemResult extends LoadResult {
  /** Mean rows of a commit, over the whole round. */
  readonly batchMean: number;
  /** CPU time of the server's process, all threads, for each publish. */
  readonly cpuMicrosPerPublish: number;
}

export interface TandemOptions {
  /** For the server's Node.js, such as `--cpu-prof`. */
  readonly flags?: readonly string[];
  readonly publishers?: number;
  readonly sending?: Sending;
}

/**
 * One round: a new server in its own process, the publishers, and a count of what is stored.
 *
 * @throws Error when what was acknowledged is not what is stored
 */
export async function measureTandem(
  folder: string,
  channels: number,
  load: Load,
  { flags = [], publishers = WORK.publishers, sending = "publish" }: TandemOptions = {},
): Promise<TandemResult> {
  mkdirSync(folder, { recursive: true });
  const server = fork(SERVER, [folder], { execArgv: [...flags] });
  const gone = once(server, "exit");
  try {
    const [listening] = (await Promise.race([once(server, "message"), gone])) as [ServerReport | number];
    if (typeof listening !== "object" || listening?.kind !== "listening") throw new Error("the server did not start");
    const url = `ws://127.0.0.1:${listening.port}/ws`;
    const result = await publishLoad(
      (index, events) => connectTandem(url, channelOf(index, channels, sending), events, sending),
      publishers,
      load,
    );
    const stopped = once(server, "message");
    server.kill("SIGTERM");
    const [report] = (await Promise.race([stopped, gone])) as [ServerReport | number];
    if (typeof report !== "object" || report?.kind !== "stopped")
      throw new Error("the server did not stop in good order");
    await gone;
    const stored = storedIn(join(folder, LOG_FILE));
    if (stored !== result.published) throw new Error(`Tandem acknowledged ${result.published} and holds ${stored}`);
    return { ...result, batchMean: stored / report.commits, cpuMicrosPerPublish: report.cpuMicros / stored };
  } finally {
    server.kill("SIGKILL");
    await gone;
  }
}

/** Messages in a log, each channel's without a hole. */
function storedIn(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = database
      .prepare(`SELECT count(*) AS rows, max("offset") AS last FROM message_log GROUP BY channel`)
      .all() as { rows: number; last: number }[];
    if (rows.some(({ rows: count, last }) => count !== last)) throw new Error("a channel of the log has holes");
    return rows.reduce((sum, { rows: count }) => sum + count, 0);
  } finally {
    database.close();
  }
}
