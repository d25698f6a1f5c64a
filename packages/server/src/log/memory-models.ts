import { chainTag } from "@tandem/protocol";
import type { ModelState } from "./decide.ts";
import { modelOfFence } from "./key.ts";
import type { ModelAppend, RaisedFence } from "./log.ts";
import type { ModelKeys, SnapshotHead, StoredSnapshot } from "./model-log.ts";
import { SNAPSHOTS } from "./model-log.ts";

/** What is kept of one model beside its events. */
interface Model {
  /** Of its history: `chainTag` over the ids of its events. */
  tag: string;
  /** Of its last event; 0 before the first. */
  offset: number;
  deadline: number | undefined;
  readonly keys: Map<string, string>;
  /** The newest first. */
  snapshots: readonly Snapshot[];
}

interface Snapshot {
  readonly head: SnapshotHead;
  readonly pieces: readonly string[];
}

/** The models of one channel in the memory log: those of its present life, and how far the tokens of all its lives have come. */
export class MemoryModels implements ModelState {
  #models = new Map<string, Model>();
  /** The tokens of the locks that are held. */
  #fences = new Map<string, number>();
  /** By model: the highest token of all that are held no more. */
  #floors = new Map<string, number>();

  /** Is nothing kept? */
  get empty(): boolean {
    return this.#models.size === 0 && this.#fences.size === 0 && this.#floors.size === 0;
  }

  tagOf(model: string): string {
    return this.#models.get(model)?.tag ?? "";
  }

  tokenOf(fence: string): number | undefined {
    return this.#fences.get(fence);
  }

  /**
   * Takes over what a model has beside the events of an append.
   *
   * @param ids of the events
   * @param offset of the channel, after them
   */
  append({ name, deadline, fences = [], keys }: ModelAppend, ids: readonly string[], offset: number): void {
    const model = this.#model(name);
    model.tag = ids.reduce(chainTag, model.tag);
    if (ids.length > 0) model.offset = offset;
    model.deadline = deadline;
    for (const fence of fences) this.#raise(fence);
    for (const { name, key } of keys?.create ?? []) model.keys.set(name, key);
    for (const name of keys?.destroy ?? []) model.keys.delete(name);
  }

  #raise({ name, token, free = false }: RaisedFence): void {
    if (token <= (this.#fences.get(name) ?? -1) || token <= (this.#floors.get(modelOfFence(name)) ?? -1)) return;
    this.#fences.set(name, token);
    if (free) this.#free(name, token);
  }

  #free(name: string, token: number): void {
    const model = modelOfFence(name);
    this.#fences.delete(name);
    this.#floors.set(model, Math.max(token, this.#floors.get(model) ?? -1));
  }

  #model(name: string): Model {
    let model = this.#models.get(name);
    if (!model) {
      model = { tag: "", offset: 0, deadline: undefined, keys: new Map(), snapshots: [] };
      this.#models.set(name, model);
    }
    return model;
  }

  /** Each model's deadline. */
  deadlines(): { readonly model: string; readonly at: number }[] {
    return [...this.#models].flatMap(([model, { deadline }]) =>
      deadline === undefined ? [] : [{ model, at: deadline }],
    );
  }

  keys(model: string): ModelKeys {
    const keys = [...(this.#models.get(model)?.keys ?? [])].map(([name, key]) => ({ name, key }));
    return { tag: this.tagOf(model), keys: keys.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  }

  /** Keeps a snapshot of this life, where none that is as new is kept. */
  saveSnapshot(head: SnapshotHead, pieces: Iterable<string>): void {
    const [newest] = this.snapshots(head.model);
    if (newest && newest.position.offset >= head.position.offset) return;
    const snapshot = { head, pieces: [...pieces] };
    const model = this.#model(head.model);
    model.snapshots = [snapshot, ...model.snapshots].slice(0, SNAPSHOTS);
  }

  snapshots(model: string): StoredSnapshot[] {
    return (this.#models.get(model)?.snapshots ?? []).map(({ head, pieces }) => ({ ...head, pieces: pieces.length }));
  }

  piece({ model, position }: SnapshotHead, index: number): string | undefined {
    const { epoch, offset, tag } = position;
    const found = this.#models.get(model)?.snapshots.find(({ head }) => {
      return head.position.offset === offset && head.position.tag === tag && head.position.epoch === epoch;
    });
    return found?.pieces[index];
  }

  /** An event of a model was erased: the stored states that hold what came of it go, where the model can be told again without them. */
  forget(model: string, offset: number, isWhole: boolean): void {
    const known = this.#models.get(model);
    const older = known?.snapshots.filter(({ head }) => head.position.offset < offset) ?? [];
    if (known && (isWhole || older.length > 0)) known.snapshots = older;
  }

  /** The last offset that may be trimmed: each model that has events can be told again from the older of two snapshots. */
  get trimmable(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { offset, snapshots } of this.#models.values()) {
      if (offset > 0) least = Math.min(least, snapshots[SNAPSHOTS - 1]?.head.position.offset ?? 0);
    }
    return least;
  }

  /** The channel's life has ended, and nobody holds anything. How far its tokens have come stays: they never go back. */
  bury(): void {
    for (const [name, token] of this.#fences) this.#free(name, token);
    this.#models.clear();
  }

  clone(): MemoryModels {
    const copy = new MemoryModels();
    copy.#fences = new Map(this.#fences);
    copy.#floors = new Map(this.#floors);
    copy.#models = new Map([...this.#models].map(([name, model]) => [name, { ...model, keys: new Map(model.keys) }]));
    return copy;
  }
}
