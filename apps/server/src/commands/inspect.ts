import { existsSync } from "node:fs";
import { join } from "node:path";
import { TandemError } from "@tandem/protocol";
import { silentLogger, systemRuntime } from "@tandem/runtime";
import type { Environment, Head, Log } from "@tandem/server";
import { channelKey, createSqliteLog, LOG_FILE } from "@tandem/server";
import { configurationOf } from "../environment.ts";
import { CommandError, EXIT } from "../exit.ts";
import type { Output } from "../output.ts";
import { printable, size, table } from "../output.ts";
import { parseChannel } from "../session.ts";
import { wholeNumber } from "../whole-number.ts";

export interface InspectOptions {
  readonly tenant: string;
  readonly data?: string;
  readonly limit: string;
}

/** Shows what the log holds: all channels, one channel, or one event. Reads beside a running server. */
export async function inspect(
  channel: string | undefined,
  offset: string | undefined,
  options: InspectOptions,
  environment: Environment,
  output: Output,
): Promise<void> {
  const { data } = configurationOf({ ...environment, TANDEM_MODE: "development" }, { TANDEM_DATA: options.data });
  const file = join(data, LOG_FILE);
  if (!existsSync(file))
    throw new CommandError(`There is no log ${file}: name the data folder with --data or TANDEM_DATA.`);
  let log: Log | undefined;
  try {
    log = await createSqliteLog({ file, runtime: systemRuntime(silentLogger), readOnly: true });
    if (channel === undefined) return await showChannels(log, wholeNumber("--limit", options.limit, 1), output);
    const { type, id } = parseChannel(channel);
    const key = channelKey(options.tenant, `${type}:${id}`);
    if (offset === undefined) return await showChannel(log, key, output);
    return await showEvent(log, key, wholeNumber("the offset", offset, 1), output);
  } catch (error) {
    throw error instanceof TandemError ? new CommandError(error.message, EXIT.failure, error.code) : error;
  } finally {
    await log?.close();
  }
}

/** Channels are read this many at a time. */
const PAGE = 500;

async function showChannels(log: Log, limit: number, output: Output): Promise<void> {
  const heads: Head[] = [];
  while (heads.length < limit) {
    const page = await log.channels(heads.at(-1)?.channel, Math.min(PAGE, limit - heads.length));
    heads.push(...page);
    output.progress(`${heads.length} channels`);
    if (page.length === 0) break;
  }
  output.progress(undefined);
  const rows = heads.map((head) => [
    head.channel,
    head.offset,
    head.first,
    head.count,
    size(head.bytes),
    head.time === 0 ? "" : new Date(head.time).toISOString(),
    head.archived ? "archived" : "",
  ]);
  const sum = heads.reduce((bytes, head) => bytes + head.bytes, 0);
  const titles = ["channel", "offset", "first", "events", "size", "newest", ""];
  output.result({ channels: heads, bytes: sum }, `${table(titles, rows)}\n${heads.length} channels, ${size(sum)}`);
}

async function showChannel(log: Log, key: string, output: Output): Promise<void> {
  const [head] = await log.heads([key]);
  if (!head || head.offset === 0) throw new CommandError(`Nothing was ever published to ${key}.`);
  const rows = Object.entries({
    channel: head.channel,
    position: `${head.epoch} ${head.offset} ${head.tag}`,
    "oldest kept": String(head.first),
    events: String(head.count),
    size: size(head.bytes),
    newest: new Date(head.time).toISOString(),
    archived: head.archived ? "yes" : "no",
  });
  output.result(head, rows.map(([name, value]) => `${name.padEnd(12)} ${printable(value)}`).join("\n"));
}

async function showEvent(log: Log, key: string, offset: number, output: Output): Promise<void> {
  const read = await log.read(key, offset - 1, { events: 1, bytes: 1 });
  const event = read.kind === "run" ? read.events.find((one) => one.offset === offset) : undefined;
  if (!event) {
    const { first, offset: newest } = read.head;
    throw new CommandError(`${key} has no event ${offset}: it keeps ${first} to ${newest}.`);
  }
  const data: unknown = event.data === undefined ? null : JSON.parse(event.data);
  const rows = Object.entries({
    offset: String(event.offset),
    id: event.id,
    type: `${event.type} (version ${event.version})`,
    time: new Date(event.time).toISOString(),
    author: event.author ?? "(the application)",
    run: String(event.run),
    tag: event.tag,
    ...(event.trace === undefined ? {} : { trace: event.trace }),
  }).map(([name, value]) => `${name.padEnd(12)} ${printable(value)}`);
  const shown =
    event.data === undefined ? "(redacted)" : JSON.stringify(data, null, 2).split("\n").map(printable).join("\n");
  output.result({ channel: key, ...event, data, redacted: event.data === undefined }, [...rows, shown].join("\n"));
}
