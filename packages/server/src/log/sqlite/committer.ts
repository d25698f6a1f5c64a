import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Position } from "@tandem/protocol";
import { chainTag } from "@tandem/protocol";
import type { ModelState } from "../decide.ts";
import { decideAppend } from "../decide.ts";
import { tenantOf } from "../key.ts";
import type { Append, AppendResult, ChannelKey, ConsumerPosition, Head, LogBounds } from "../log.ts";
import { idsOf } from "../log.ts";
import { modelNamed } from "../model-log.ts";
import type { ChannelRow } from "./channel-rows.ts";
import { ChannelRows, headOf, UNBORN_STATE, unbornHead } from "./channel-rows.ts";
import { FollowingRows } from "./following-rows.ts";
import { fitWindow, readMeta } from "./meta.ts";
import { ModelRows } from "./model-rows.ts";
import { ProducerRows } from "./producer-rows.ts";
import { forgetSnapshots } from "./snapshot-rows.ts";

/** For an append that asks nothing of models. */
const NO_MODELS: ModelState = { tagOf: () => "", tokenOf: () => undefined };

/**
 * What happens inside one commit: appends and the small changes, in the order asked. Runs on the committing thread. Rows
 * of channels and producers are remembered from commit to commit, and forgotten when someone else has written the file (a
 * person at the SQLite prompt: servers keep each other out).
 */
export class Committer {
  readonly #database: DatabaseSync;
  readonly #bounds: LogBounds;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #dataVersion: StatementSync;
  readonly #insert: StatementSync;
  readonly #selectData: StatementSync;
  readonly #redact: StatementSync;
  readonly #saveConsumer: StatementSync;
  readonly channels: ChannelRows;
  readonly producers: ProducerRows;
  readonly following: FollowingRows;
  readonly models: ModelRows;
  #redacted = false;
  /** Read again when it is not known. */
  #horizon: number | undefined;
  #version: unknown;

  constructor(database: DatabaseSync, bounds: LogBounds) {
    this.#database = database;
    this.#bounds = bounds;
    fitWindow(database, bounds.outcomes);
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
    this.#dataVersion = database.prepare("PRAGMA data_version");
    this.#insert = database.prepare(
      `INSERT INTO message_log (channel, "offset", run, id, tag, time, type, version, author, trace, data)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#selectData = database.prepare(
      `SELECT octet_length(data) AS bytes, type FROM message_log WHERE channel = ? AND "offset" = ?`,
    );
    this.#redact = database.prepare(`UPDATE message_log SET data = NULL WHERE channel = ? AND "offset" = ?`);
    this.#saveConsumer = database.prepare(
      `REPLACE INTO consumers (name, channel, epoch, "offset", tag) VALUES (?, ?, ?, ?, ?)`,
    );
    this.channels = new ChannelRows(database);
    this.producers = new ProducerRows(database, bounds.outcomes);
    this.following = new FollowingRows(database);
    this.models = new ModelRows(database);
  }

  /**
   * Runs `work` in one transaction, durable when this returns: with `synchronous = FULL`, COMMIT syncs the write-ahead
   * log and fails when the sync does. What is thrown has rolled everything back.
   */
  transaction<T>(work: () => T): T {
    this.#begin.run();
    try {
      const version = this.#dataVersion.get()?.data_version;
      if (version !== this.#version) this.forget();
      this.#version = version;
      const result = work();
      this.channels.flush();
      this.producers.flush();
      this.models.flush();
      this.#commit.run();
      return result;
    } catch (error) {
      this.forget();
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Forgets the rows that are remembered. */
  forget(): void {
    this.channels.forget();
    this.producers.forget();
    this.models.forget();
    this.#horizon = undefined;
  }

  append(append: Append): AppendResult {
    const { producer, now } = append;
    const owner = `${tenantOf(append.channel)}/${producer.user}`;
    const channel = this.channels.take(append.channel);
    const known = this.producers.find(owner, producer, channel);
    this.#horizon ??= readMeta(this.#database, "horizon") ?? 0;
    const decision = decideAppend(
      append,
      known && { mark: known.mark, outcome: (seq) => this.producers.outcome(known, seq) },
      channel,
      append.model || append.fence ? this.models.of(channel) : NO_MODELS,
      this.#bounds,
      () => this.producers.marksOf(owner),
      this.#horizon,
    );
    if (decision.kind === "answer") return decision.result;
    const settled = known ?? this.producers.make(owner, producer, channel, now);
    if (decision.kind === "refuse") {
      const refused = { kind: "refused", refusal: decision.refusal } as const;
      this.producers.settle(settled, producer, now, refused);
      return refused;
    }
    const stored = this.#store(channel, append);
    this.producers.settle(settled, producer, now, { kind: "committed", position: positionOf(channel) });
    return stored;
  }

  #store(channel: ChannelRow, append: Append): AppendResult {
    const { events, model, now, birth } = append;
    const { tag: tagBefore } = channel;
    const ids = idsOf(append);
    const run = channel.offset + 1;
    const tags: string[] = [];
    const modelRow = model && this.models.take(channel, model.name);
    if (events.length > 0) {
      if (channel.offset === 0) channel.epoch = birth;
      channel.time = Math.max(channel.time, now);
      channel.count += events.length;
      this.channels.change(channel);
    }
    for (const { type, version, author, trace, data } of events) {
      const id = ids[tags.length] as string;
      const offset = ++channel.offset;
      const tag = chainTag(channel.tag, id);
      const { id: channelId, time } = channel;
      this.#insert.run(channelId, offset, run, id, tag, time, type, version, author ?? null, trace ?? null, data);
      channel.tag = tag;
      channel.bytes += Buffer.byteLength(data);
      if (modelRow) modelRow.tag = chainTag(modelRow.tag, id);
      tags.push(tag);
    }
    if (modelRow) {
      this.models.settle(channel, modelRow, model, events.length > 0 ? channel.offset : modelRow.offset);
    }
    return { kind: "committed", epoch: channel.epoch, offset: run, time: channel.time, tags, tagBefore };
  }

  redact(key: ChannelKey, offset: number): boolean {
    const channel = this.channels.find(key);
    const found = channel && this.#selectData.get(channel.id, offset);
    if (!found) return false;
    if (found.bytes === null) return true;
    this.#redact.run(channel.id, offset);
    const model = modelNamed(String(found.type));
    if (model !== undefined) forgetSnapshots(this.#database, channel, model, offset);
    this.#redacted = true;
    channel.bytes -= Number(found.bytes);
    channel.revision++;
    this.channels.change(channel);
    return true;
  }

  archive(key: ChannelKey, archived: boolean): Head {
    const channel = this.channels.take(key);
    if (channel.archived !== archived) {
      channel.archived = archived;
      channel.revision++;
      this.channels.change(channel);
    }
    return headOf(channel);
  }

  /** Ends the life of a channel whose messages were deleted. */
  bury(channel: ChannelRow): void {
    this.models.bury(channel);
    if (channel.offset === 0 && !channel.archived) return;
    Object.assign(channel, UNBORN_STATE, { archived: false, revision: channel.revision + 1 });
    this.channels.change(channel);
  }

  /** Was anything erased since this was asked last, so that no file may hold it any more? */
  takeErased(): boolean {
    const erased = this.#redacted || this.models.erased;
    this.#redacted = false;
    this.models.erased = false;
    return erased;
  }

  head(key: ChannelKey): Head {
    const channel = this.channels.find(key);
    return channel ? headOf(channel) : unbornHead(key);
  }

  saveConsumer({ name, channel, position }: ConsumerPosition): void {
    this.#saveConsumer.run(name, channel, position.epoch, position.offset, position.tag);
  }
}

function positionOf({ epoch, offset, tag }: ChannelRow): Position {
  return { epoch, offset, tag };
}
