import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ChannelKey } from "../log.ts";
import type { Deadline, ModelKeys, SnapshotHead, StoredSnapshot } from "../model-log.ts";

/** Reads what is kept of models beside their events. Every call belongs into a read transaction. */
export class ModelHistory {
  readonly #deadlines: StatementSync;
  readonly #keys: StatementSync;
  readonly #snapshots: StatementSync;
  readonly #piece: StatementSync;

  constructor(database: DatabaseSync) {
    this.#deadlines = database.prepare(
      `SELECT c.key, m.name, m.deadline FROM models m JOIN channels c ON c.id = m.channel
       WHERE m.deadline IS NOT NULL AND c.archived = 0 ORDER BY m.deadline, c.key, m.name LIMIT ?`,
    );
    this.#keys = database.prepare(
      `SELECT m.tag, k.name, k.key FROM channels c JOIN models m ON m.channel = c.id
       LEFT JOIN sealing_keys k ON k.channel = m.channel AND k.model = m.name
       WHERE c.key = ? AND m.name = ? ORDER BY k.name`,
    );
    this.#snapshots = database.prepare(
      `SELECT s.version, s.epoch, s."offset", s.tag, s.model_tag, s.pieces FROM snapshots s JOIN channels c ON c.id = s.channel
       WHERE c.key = ? AND s.model = ? AND s.pieces IS NOT NULL ORDER BY s."offset" DESC`,
    );
    this.#piece = database.prepare(
      `SELECT p.data FROM channels c JOIN snapshots s ON s.channel = c.id JOIN snapshot_pieces p ON p.snapshot = s.id
       WHERE c.key = ? AND s.model = ? AND s."offset" = ? AND s.epoch = ? AND s.tag = ? AND s.pieces IS NOT NULL AND p.piece = ?`,
    );
  }

  deadlines(limit: number): Deadline[] {
    return this.#deadlines.all(limit).map(({ key, name, deadline }) => ({
      channel: String(key),
      model: String(name),
      at: Number(deadline),
    }));
  }

  keys(channel: ChannelKey, model: string): ModelKeys {
    const rows = this.#keys.all(channel, model);
    const keys = rows
      .filter(({ key }) => key !== null)
      .map(({ name, key }) => ({ name: String(name), key: String(key) }));
    return { tag: String(rows[0]?.tag ?? ""), keys };
  }

  snapshots(channel: ChannelKey, model: string): StoredSnapshot[] {
    return this.#snapshots.all(channel, model).map(({ version, epoch, offset, tag, model_tag, pieces }) => ({
      channel,
      model,
      version: Number(version),
      position: { epoch: String(epoch), offset: Number(offset), tag: String(tag) },
      tag: String(model_tag),
      pieces: Number(pieces),
    }));
  }

  piece({ channel, model, position }: SnapshotHead, index: number): string | undefined {
    const { epoch, offset, tag } = position;
    const found = this.#piece.get(channel, model, offset, epoch, tag, index);
    return found && String(found.data);
  }
}
