import type { AnyModel } from "@tandem/model";
import { Assembly, cutPiece, Table, upcastState } from "@tandem/model";
import type { Logger } from "@tandem/runtime";
import type { ModelLog, StoredSnapshot } from "../log/model-log.ts";
import type { Instance, StateAt } from "./instance.ts";

/** Bytes of JSON in a stored piece, about. */
const PIECE_BYTES = 65_536;

/** Fewest events of a model between two of its snapshots. */
const EVERY = 500;

/** Reads a stored state, piece by piece. @returns `undefined` where it is gone meanwhile */
export async function loadSnapshot(
  log: Pick<ModelLog, "snapshotPiece">,
  model: AnyModel,
  head: StoredSnapshot,
): Promise<StateAt | undefined> {
  const assembly = new Assembly<object>();
  for (let index = 0; index < head.pieces; index++) {
    const piece = await log.snapshotPiece(head, index);
    // Newer ones have taken its place, or something was erased.
    if (piece === undefined) return undefined;
    assembly.add(JSON.parse(piece));
  }
  if (!assembly.state) return undefined;
  return { state: upcastState(model, head.version, assembly.state), position: head.position, tag: head.tag };
}

/** The pieces of a state, each cut when it is asked for. */
function* piecesOf(state: object): Generator<string, undefined> {
  let after: string | undefined;
  do {
    const { json, next } = cutPiece(state, after, PIECE_BYTES);
    yield json;
    after = next;
  } while (after !== undefined);
}

/**
 * Stores a model's state from time to time, so that a node that opens the channel need not read all that ever happened there. A
 * snapshot costs as much as the state is large: the larger it is, the more events lie between two.
 */
export class Snapshots {
  readonly #log: ModelLog;
  readonly #logger: Logger;
  readonly #busy = new Set<Instance>();

  constructor(log: ModelLog, logger: Logger) {
    this.#log = log;
    this.#logger = logger;
  }

  /** After events of this node's own: is it time? It may have stopped meanwhile, at what another node has added. */
  consider(instance: Instance): void {
    if (instance.stopped !== undefined) return;
    if (instance.since >= EVERY && instance.since >= weightOf(instance.at.state)) void this.store(instance);
  }

  /** Stores where the instance stands. One at a time of each; never rejects: the next one tries again. */
  async store(instance: Instance): Promise<void> {
    if (this.#busy.has(instance)) return;
    this.#busy.add(instance);
    const { channel, name, model } = instance;
    try {
      const { state, position, tag } = instance.at;
      const head = { channel: channel.key, model: name, version: model.version, position, tag };
      await this.#log.saveSnapshot(head, piecesOf(state));
      instance.noteStored(position);
    } catch (error) {
      this.#logger.warn({ error, channel: channel.key, model: name }, "a model's state could not be stored");
    } finally {
      this.#busy.delete(instance);
    }
  }
}

/** Entries in the tables of a state. */
function weightOf(state: object): number {
  let entries = 0;
  for (const value of Object.values(state)) if (value instanceof Table) entries += value.size;
  return entries;
}
