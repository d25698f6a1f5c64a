import { DatabaseSync } from "node:sqlite";
import { indexOf } from "./deliveries.ts";

/** What a log holds of a channel, once its server has ended. */
export interface StoredLog {
  /** How often each transaction is stored. */
  readonly counts: ReadonlyMap<number, number>;
  /** Offsets run from 1 without a gap, and the transactions stand in the trace's order. */
  readonly inOrder: boolean;
}

/** Reads a channel's messages from the database file itself. */
export function readStoredLog(file: string, channel: string): StoredLog {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = database
      .prepare(`SELECT "offset", data FROM messages WHERE channel = ? ORDER BY "offset"`)
      .all(channel) as { offset: number; data: string }[];
    const counts = new Map<number, number>();
    let inOrder = true;
    let last = -1;
    for (const [at, { offset, data }] of rows.entries()) {
      const index = indexOf(JSON.parse(data));
      counts.set(index, (counts.get(index) ?? 0) + 1);
      inOrder &&= offset === at + 1 && index > last;
      last = index;
    }
    return { counts, inOrder };
  } finally {
    database.close();
  }
}
