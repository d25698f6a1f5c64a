import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Position, ResetReason } from "@tandem/protocol";
import type { ChannelKey, Head, ReadBounds } from "../log.ts";
import { resume } from "../resume.ts";
import { unbornHead } from "./channel-rows.ts";
import type { Value } from "./flat.ts";
import { EVENT_COLUMNS, HEAD_COLUMNS, readHead } from "./flat.ts";

type Row = Value[];

/** A piece of history in the form in which it goes between threads. */
export interface FlatRun {
  readonly head: Head;
  /** `undefined`: reset with `reason`. */
  readonly tagBefore: string | undefined;
  readonly reason: ResetReason | undefined;
  readonly events: Value[];
}

/** What the reading thread answers. Every call belongs into a read transaction. */
export class History {
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  readonly #head: StatementSync;
  readonly #tag: StatementSync;
  readonly #run: StatementSync;
  readonly #after: StatementSync;
  readonly #between: StatementSync;
  readonly #list: StatementSync;
  readonly #consumer: StatementSync;

  constructor(database: DatabaseSync) {
    const prepare = (sql: string) => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#begin = prepare("BEGIN");
    this.#end = prepare("COMMIT");
    this.#head = prepare(`SELECT ${HEAD_COLUMNS}, id, floor FROM channels WHERE key = ?`);
    this.#tag = prepare(`SELECT tag FROM message_log WHERE channel = ? AND "offset" = ?`);
    this.#run = prepare(`SELECT run FROM message_log WHERE channel = ? AND "offset" = ?`);
    this.#after = prepare(
      `SELECT ${EVENT_COLUMNS} FROM message_log WHERE channel = ? AND "offset" > ? ORDER BY "offset"`,
    );
    this.#between = prepare(
      `SELECT ${EVENT_COLUMNS} FROM message_log WHERE channel = ? AND "offset" >= ? AND "offset" < ? ORDER BY "offset"`,
    );
    this.#list = prepare(
      `SELECT ${HEAD_COLUMNS} FROM channels WHERE key > ? AND (epoch <> '-' OR archived = 1) ORDER BY key LIMIT ?`,
    );
    this.#consumer = prepare(`SELECT epoch, "offset", tag FROM consumers WHERE channel = ? AND name = ?`);
  }

  /** Runs `work` in one read transaction. */
  transaction<T>(work: () => T): T {
    this.#begin.run();
    try {
      return work();
    } finally {
      this.#end.run();
    }
  }

  read(key: ChannelKey, after: Position | number, bounds: ReadBounds): FlatRun {
    const row = this.#head.get(key) as unknown as Row | undefined;
    const head = row ? readHead(row) : unbornHead(key);
    const from = resume(head, after);
    if (from.kind === "reset") return { head, tagBefore: undefined, reason: from.reason, events: [] };
    const tagBefore = row ? this.#tagAt(row, head, from.offset) : "";
    if (from.tag !== undefined && from.tag !== tagBefore) {
      return { head, tagBefore: undefined, reason: "rewritten", events: [] };
    }
    return {
      head,
      tagBefore,
      reason: undefined,
      events: row ? this.#runs(row[10] as number, from.offset, bounds) : [],
    };
  }

  #tagAt(row: Row, head: Head, offset: number): string {
    if (offset === head.offset) return head.tag;
    if (offset === head.first - 1) return row[11] as string;
    const [tag] = this.#tag.get(row[10] as number, offset) as unknown as [string];
    return tag;
  }

  /** Whole runs within the bounds; always the first. */
  #runs(channel: number, after: number, bounds: ReadBounds): Value[] {
    const taken: Value[] = [];
    let events = 0;
    let bytes = 0;
    // The run that is being read is taken once it is known to fit.
    let run: Row[] = [];
    const take = () => {
      if (events > 0 && events + run.length > bounds.events) return false;
      for (const row of run) {
        taken.push(...row);
        bytes += Buffer.byteLength((row[9] ?? "") as string);
      }
      events += run.length;
      run = [];
      return true;
    };
    for (const values of this.#after.iterate(channel, after)) {
      const row = values as unknown as Row;
      const startsRun = run.length > 0 && row[1] !== run[0]?.[1];
      if (startsRun && (!take() || bytes >= bounds.bytes || events >= bounds.events)) return taken;
      run.push(row);
      // A run that is not the first need not be read on once it is too long.
      if (events > 0 && events + run.length > bounds.events) return taken;
    }
    take();
    return taken;
  }

  page(key: ChannelKey, before: number | undefined, limit: number): { head: Head; events: Value[] } {
    const row = this.#head.get(key) as unknown as Row | undefined;
    if (!row) return { head: unbornHead(key), events: [] };
    const head = readHead(row);
    const id = row[10] as number;
    const end = Math.min(before ?? Number.POSITIVE_INFINITY, head.offset + 1);
    const start = Math.max(head.first, end - limit);
    if (limit < 1 || end <= head.first) return { head, events: [] };
    const [run] = this.#run.get(id, start) as unknown as [number];
    return { head, events: (this.#between.all(id, run, end) as unknown as Row[]).flat() };
  }

  heads(keys: readonly ChannelKey[]): Head[] {
    return keys.map((key) => {
      const row = this.#head.get(key) as unknown as Row | undefined;
      return row ? readHead(row) : unbornHead(key);
    });
  }

  channels(after: ChannelKey | undefined, limit: number): Head[] {
    return (this.#list.all(after ?? "", limit) as unknown as Row[]).map(readHead);
  }

  consumer(name: string, channel: ChannelKey): Position | undefined {
    const row = this.#consumer.get(channel, name) as unknown as [string, number, string] | undefined;
    return row && { epoch: row[0], offset: row[1], tag: row[2] };
  }
}
