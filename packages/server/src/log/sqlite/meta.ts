import type { DatabaseSync } from "node:sqlite";

/** A number that the file keeps of itself. */
export function readMeta(database: DatabaseSync, name: "horizon" | "window" | "probe"): number | undefined {
  const row = database.prepare("SELECT value FROM meta WHERE name = ?").get(name);
  return row && Number(row.value);
}

export function writeMeta(database: DatabaseSync, name: "horizon" | "window" | "probe", value: number): void {
  database.prepare("REPLACE INTO meta (name, value) VALUES (?, ?)").run(name, value);
}

/** Lays the outcomes out anew when the number that is kept per producer was changed in the configuration. */
export function fitWindow(database: DatabaseSync, window: number): void {
  const before = readMeta(database, "window");
  if (before === window) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    if (before !== undefined) {
      database.exec("CREATE TEMP TABLE kept AS SELECT * FROM outcomes");
      database.exec("DELETE FROM outcomes");
      database
        .prepare(
          `INSERT INTO outcomes (producer, slot, seq, digest, epoch, "offset", tag, refusal)
           SELECT k.producer, k.seq % ?1, k.seq, k.digest, k.epoch, k."offset", k.tag, k.refusal
           FROM kept k JOIN producers p ON p.id = k.producer WHERE k.seq > p.mark - ?1`,
        )
        .run(window);
      database.exec("DROP TABLE kept");
    }
    writeMeta(database, "window", window);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
