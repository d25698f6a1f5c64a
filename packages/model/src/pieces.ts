import { Table } from "./table.ts";

/**
 * A part of a state, as snapshots store it and clients are sent it, one after the other: first the state with its tables empty, then the entries of
 * each table. JSON values.
 */
export type Piece =
  | { readonly head: Readonly<Record<string, unknown>>; readonly tables: readonly string[] }
  | { readonly table: string; readonly entries: readonly (readonly [key: string, value: unknown])[] };

/** A piece, and where the next one begins; no `next`: it was the last. */
export interface Cut {
  /** The piece's JSON. */
  readonly json: string;
  readonly next: string | undefined;
}

/**
 * Cuts the next piece off a state: never more work than about `bytes` of JSON, however large the state is. (A head or an entry is
 * not cut: keep what grows in tables of small entries.)
 *
 * @param after the `next` of the piece before it; `undefined`: the first
 */
export function cutPiece(state: object, after: string | undefined, bytes: number): Cut {
  const tables = Object.entries(state).filter((field): field is [string, Table<unknown>] => field[1] instanceof Table);
  if (after === undefined) {
    const head = Object.fromEntries(Object.entries(state).filter(([, value]) => !(value instanceof Table)));
    const first = tables.find(([, table]) => table.size > 0)?.[0];
    const json = JSON.stringify({ head, tables: tables.map(([name]) => name) } satisfies Piece);
    return { json, next: first };
  }
  const slash = after.indexOf("/");
  const name = slash < 0 ? after : after.slice(0, slash);
  const at = tables.findIndex(([field]) => field === name);
  const table = tables[at]?.[1];
  if (!table) return { json: JSON.stringify({ table: name, entries: [] } satisfies Piece), next: undefined };
  const parts: string[] = [];
  let taken = 0;
  let last: string | undefined;
  for (const entry of slash < 0 ? table : table.after(after.slice(slash + 1))) {
    if (last !== undefined && taken >= bytes) {
      return { json: entriesJson(name, parts), next: `${name}/${last}` };
    }
    const part = JSON.stringify(entry);
    parts.push(part);
    taken += part.length;
    last = entry[0];
  }
  const next = tables.slice(at + 1).find(([, following]) => following.size > 0)?.[0];
  return { json: entriesJson(name, parts), next };
}

function entriesJson(table: string, parts: readonly string[]): string {
  return `{"table":${JSON.stringify(table)},"entries":[${parts.join(",")}]}`;
}

/** Puts a state together again, piece by piece. What it has so far is a state of the same shape. */
export class Assembly<S extends object> {
  #state: Record<string, unknown> | undefined;

  /** What is there so far; `undefined` before the first piece. */
  get state(): S | undefined {
    return this.#state as S | undefined;
  }

  /** @throws RangeError where a piece does not belong where it comes */
  add(piece: Piece): void {
    if ("head" in piece) {
      if (this.#state) throw new RangeError("a state begins once");
      this.#state = { ...piece.head };
      for (const name of piece.tables) this.#state[name] = Table.empty();
      return;
    }
    const table = this.#state?.[piece.table];
    if (!this.#state || !(table instanceof Table)) throw new RangeError(`there is no table ${piece.table}`);
    let filled: Table<unknown> = table;
    for (const [key, value] of piece.entries) filled = filled.set(key, value);
    this.#state = { ...this.#state, [piece.table]: filled };
  }
}
