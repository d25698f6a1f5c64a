import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ChannelKey, Head } from "../log.ts";
import { UNBORN } from "../log.ts";
import type { Value } from "./flat.ts";
import { HEAD_COLUMNS, readHead } from "./flat.ts";

/** Rows remembered between commits; over it they are all forgotten and read again. */
const REMEMBERED = 50_000;

/** A channel's row as the running transaction sees it. */
export interface ChannelRow {
  readonly id: number;
  readonly key: ChannelKey;
  epoch: string;
  offset: number;
  tag: string;
  first: number;
  /** Tag of the position before the first message that is kept. */
  floor: string;
  time: number;
  count: number;
  bytes: number;
  archived: boolean;
  revision: number;
}

/** The channels' rows: read once, changed in memory, and written once a commit. */
export class ChannelRows {
  readonly #select: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #rows = new Map<ChannelKey, ChannelRow>();
  readonly #changed = new Set<ChannelRow>();

  constructor(database: DatabaseSync) {
    this.#select = database.prepare(`SELECT ${HEAD_COLUMNS}, id, floor FROM channels WHERE key = ?`);
    this.#select.setReturnArrays(true);
    this.#insert = database.prepare(
      `INSERT INTO channels (key, epoch, "offset", tag, first, floor, time, count, bytes, archived, revision)
       VALUES (?, '${UNBORN}', 0, '', 1, '', 0, 0, 0, 0, 0)`,
    );
    this.#update = database.prepare(
      `UPDATE channels SET epoch = ?, "offset" = ?, tag = ?, first = ?, floor = ?, time = ?, count = ?, bytes = ?,
         archived = ?, revision = ? WHERE id = ?`,
    );
  }

  find(key: ChannelKey): ChannelRow | undefined {
    const remembered = this.#rows.get(key);
    if (remembered) return remembered;
    const values = this.#select.get(key) as unknown as Value[] | undefined;
    if (!values) return undefined;
    const { channel: _, ...head } = readHead(values);
    return this.#remember({ ...head, key, id: values[10] as number, floor: values[11] as string });
  }

  /** The row, made if there is none yet: unborn. */
  take(key: ChannelKey): ChannelRow {
    const found = this.find(key);
    if (found) return found;
    const id = Number(this.#insert.run(key).lastInsertRowid);
    return this.#remember({ ...UNBORN_STATE, id, key, archived: false, revision: 0 });
  }

  /** Has the row written with the commit. */
  change(row: ChannelRow): void {
    this.#changed.add(row);
  }

  /** Writes what was changed. */
  flush(): void {
    for (const row of this.#changed) {
      const { epoch, offset, tag, first, floor, time, count, bytes, archived, revision, id } = row;
      this.#update.run(epoch, offset, tag, first, floor, time, count, bytes, archived ? 1 : 0, revision, id);
    }
    this.#changed.clear();
    if (this.#rows.size > REMEMBERED) this.#rows.clear();
  }

  /** Forgets what is remembered: the transaction was rolled back. */
  forget(): void {
    this.#changed.clear();
    this.#rows.clear();
  }

  #remember(row: ChannelRow): ChannelRow {
    this.#rows.set(row.key, row);
    return row;
  }
}

/** What an unborn channel's row says of its life. */
export const UNBORN_STATE = {
  epoch: UNBORN,
  offset: 0,
  tag: "",
  first: 1,
  floor: "",
  time: 0,
  count: 0,
  bytes: 0,
} as const;

export function headOf(row: ChannelRow): Head {
  const { id: _, key, floor: __, ...rest } = row;
  return { channel: key, ...rest };
}

/** The head of a channel that has no row. */
export function unbornHead(channel: ChannelKey): Head {
  const { floor: _, ...rest } = UNBORN_STATE;
  return { channel, ...rest, archived: false, revision: 0 };
}
