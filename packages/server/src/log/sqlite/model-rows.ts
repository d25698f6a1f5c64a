import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { FenceToken } from "@tandem/protocol";
import type { ModelState } from "../decide.ts";
import { modelOfFence } from "../key.ts";
import type { ModelAppend, RaisedFence } from "../log.ts";
import type { ChannelRow } from "./channel-rows.ts";

/** Rows remembered between commits; over it they are all forgotten and read again. */
const REMEMBERED = 50_000;

/** What is kept of a model of a channel, as the running transaction sees it. */
export interface ModelRow {
  /** The channel's id. */
  readonly channel: number;
  readonly name: string;
  tag: string;
  /** Of its last event; 0 before the first. */
  offset: number;
  deadline: number | undefined;
}

interface FenceRow extends FenceToken {
  readonly channel: number;
}

/** The rows of models and of fences: read once, changed in memory, and written once a commit. Keys are written at once. */
export class ModelRows {
  readonly #select: StatementSync;
  readonly #save: StatementSync;
  readonly #selectFence: StatementSync;
  readonly #saveFence: StatementSync;
  readonly #freeFence: StatementSync;
  readonly #selectFloor: StatementSync;
  readonly #raiseFloor: StatementSync;
  readonly #createKey: StatementSync;
  readonly #destroyKey: StatementSync;
  readonly #bury: {
    readonly models: StatementSync;
    readonly keys: StatementSync;
    readonly snapshots: StatementSync;
    readonly floors: StatementSync;
    readonly fences: StatementSync;
  };
  readonly #rows = new Map<string, ModelRow>();
  readonly #fences = new Map<string, FenceRow>();
  readonly #changed = new Set<ModelRow>();
  readonly #raised = new Map<string, FenceRow>();
  /** A key was destroyed: no file may hold it any more. */
  erased = false;

  constructor(database: DatabaseSync) {
    this.#select = database.prepare(`SELECT tag, "offset", deadline FROM models WHERE channel = ? AND name = ?`);
    this.#save = database.prepare(
      `INSERT INTO models (channel, name, tag, "offset", deadline) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (channel, name) DO UPDATE SET tag = excluded.tag, "offset" = excluded."offset", deadline = excluded.deadline`,
    );
    this.#selectFence = database.prepare("SELECT token FROM fences WHERE channel = ? AND name = ?");
    this.#saveFence = database.prepare("REPLACE INTO fences (channel, name, token) VALUES (?, ?, ?)");
    this.#freeFence = database.prepare("DELETE FROM fences WHERE channel = ? AND name = ?");
    this.#selectFloor = database.prepare("SELECT token FROM fence_floors WHERE channel = ? AND model = ?");
    const raising = "ON CONFLICT (channel, model) DO UPDATE SET token = max(token, excluded.token)";
    this.#raiseFloor = database.prepare(`INSERT INTO fence_floors (channel, model, token) VALUES (?, ?, ?) ${raising}`);
    this.#createKey = database.prepare("INSERT INTO sealing_keys (channel, model, name, key) VALUES (?, ?, ?, ?)");
    this.#destroyKey = database.prepare("DELETE FROM sealing_keys WHERE channel = ? AND model = ? AND name = ?");
    this.#bury = {
      models: database.prepare("DELETE FROM models WHERE channel = ?"),
      keys: database.prepare("DELETE FROM sealing_keys WHERE channel = ?"),
      snapshots: database.prepare("UPDATE snapshots SET pieces = NULL WHERE channel = ?"),
      floors: database.prepare(
        `INSERT INTO fence_floors (channel, model, token)
         SELECT channel, substr(name, 1, instr(name, '/') - 1) AS model, max(token) FROM fences WHERE channel = ? GROUP BY model
         ${raising}`,
      ),
      fences: database.prepare("DELETE FROM fences WHERE channel = ?"),
    };
  }

  /** What an append to the channel is decided on. */
  of(channel: ChannelRow): ModelState {
    return {
      tagOf: (model) => this.#find(channel, model)?.tag ?? "",
      tokenOf: (fence) => this.#fence(channel, fence)?.token,
    };
  }

  /** A model's row, made if there is none yet. */
  take(channel: ChannelRow, name: string): ModelRow {
    const found = this.#find(channel, name);
    if (found) return found;
    const row = { channel: channel.id, name, tag: "", offset: 0, deadline: undefined };
    this.#rows.set(nameIn(channel, name), row);
    return row;
  }

  /** Takes over what a model has beside the events of an append; the tag is already theirs. */
  settle(channel: ChannelRow, row: ModelRow, { deadline, fences, keys }: ModelAppend, offset: number): void {
    row.offset = offset;
    row.deadline = deadline;
    this.#changed.add(row);
    for (const fence of fences ?? []) this.#raise(channel, fence);
    for (const { name, key } of keys?.create ?? []) {
      this.#destroy(row, name);
      this.#createKey.run(row.channel, row.name, name, key);
    }
    for (const name of keys?.destroy ?? []) this.#destroy(row, name);
  }

  #destroy({ channel, name: model }: ModelRow, name: string): void {
    if (this.#destroyKey.run(channel, model, name).changes > 0) this.erased = true;
  }

  #raise(channel: ChannelRow, { name, token, free = false }: RaisedFence): void {
    const model = modelOfFence(name);
    if (token <= (this.#fence(channel, name)?.token ?? -1)) return;
    if (token <= Number(this.#selectFloor.get(channel.id, model)?.token ?? -1)) return;
    const key = nameIn(channel, name);
    if (free) {
      this.#fences.delete(key);
      this.#raised.delete(key);
      this.#freeFence.run(channel.id, name);
      this.#raiseFloor.run(channel.id, model, token);
      return;
    }
    const row = { channel: channel.id, name, token };
    this.#fences.set(key, row);
    this.#raised.set(key, row);
  }

  #find(channel: ChannelRow, name: string): ModelRow | undefined {
    const key = nameIn(channel, name);
    const remembered = this.#rows.get(key);
    if (remembered) return remembered;
    const found = this.#select.get(channel.id, name);
    if (!found) return undefined;
    const { tag, offset, deadline } = found;
    const row: ModelRow = {
      channel: channel.id,
      name,
      tag: String(tag),
      offset: Number(offset),
      deadline: deadline === null ? undefined : Number(deadline),
    };
    this.#rows.set(key, row);
    return row;
  }

  #fence(channel: ChannelRow, name: string): FenceRow | undefined {
    const key = nameIn(channel, name);
    const remembered = this.#fences.get(key);
    if (remembered) return remembered;
    const found = this.#selectFence.get(channel.id, name);
    if (!found) return undefined;
    const row = { channel: channel.id, name, token: Number(found.token) };
    this.#fences.set(key, row);
    return row;
  }

  /** The channel's life has ended. Nobody holds anything; how far its tokens have come stays. Snapshots count no more, and are cleared later. */
  bury({ id }: ChannelRow): void {
    this.flush();
    this.#bury.models.run(id);
    if (this.#bury.keys.run(id).changes > 0) this.erased = true;
    this.#bury.snapshots.run(id);
    this.#bury.floors.run(id);
    this.#bury.fences.run(id);
    this.#rows.clear();
    this.#fences.clear();
  }

  /** Writes what was changed. */
  flush(): void {
    if (this.#changed.size > 0) {
      for (const { channel, name, tag, offset, deadline } of this.#changed) {
        this.#save.run(channel, name, tag, offset, deadline ?? null);
      }
      this.#changed.clear();
    }
    if (this.#raised.size > 0) {
      for (const { channel, name, token } of this.#raised.values()) this.#saveFence.run(channel, name, token);
      this.#raised.clear();
    }
    if (this.#rows.size > REMEMBERED) this.#rows.clear();
    if (this.#fences.size > REMEMBERED) this.#fences.clear();
  }

  /** Forgets what is remembered: the transaction was rolled back, or rows were deleted. */
  forget(): void {
    this.#changed.clear();
    this.#raised.clear();
    this.#rows.clear();
    this.#fences.clear();
  }
}

function nameIn({ id }: ChannelRow, name: string): string {
  return `${id}/${name}`;
}
