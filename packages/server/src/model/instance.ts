import type { AnyModel } from "@tandem/model";
import { evolve, ModelStopped } from "@tandem/model";
import type { Position } from "@tandem/protocol";
import { chainTag, errorOf, TandemError } from "@tandem/protocol";
import type { Logger } from "@tandem/runtime";
import type { Channel } from "../channel/channel.ts";
import { modelEvent } from "../channel/model-event.ts";
import type { SharedEvent } from "../delivery/shared-event.ts";
import type { Log } from "../log/log.ts";
import { UNBORN } from "../log/log.ts";
import type { ModelLog } from "../log/model-log.ts";
import { loadSnapshot } from "./snapshots.ts";

/** So many times in a row it is loaded anew because the channel's history is not what this node took it for. */
const LOADS = 8;

/** A model's state at a position of its channel. */
export interface StateAt {
  readonly state: object;
  readonly position: Position;
  /** The tag of the model's history there: see `ModelAppend.expect`. */
  readonly tag: string;
}

export interface InstancePorts {
  readonly log: ModelLog & Pick<Log, "heads">;
  readonly logger: Logger;
}

/**
 * One model of one live channel: its state, as far as it was read. It is brought up to the channel's head when somebody needs
 * it, from memory mostly: a model that nobody asks costs nothing.
 */
export class Instance {
  readonly name: string;
  readonly model: AnyModel;
  readonly channel: Channel;
  readonly #ports: InstancePorts;
  #at: StateAt | undefined;
  /** The channel's revision when it was loaded: where that has risen, something that it read may have been erased. */
  #revision = 0;
  #stopped: ModelStopped | undefined;
  #keys: { readonly tag: string; readonly map: ReadonlyMap<string, string> } | undefined;
  /** Events of the model since the newest snapshot that this node knows. */
  #since = 0;
  /** The offset of that snapshot. */
  #stored = 0;
  #advancing: Promise<void> | undefined;

  constructor(name: string, model: AnyModel, channel: Channel, ports: InstancePorts) {
    this.name = name;
    this.model = model;
    this.channel = channel;
    this.#ports = ports;
  }

  /** Where it stands. Ask `advance` first. @throws TandemError `model-stopped` */
  get at(): StateAt {
    if (this.#stopped) throw new TandemError("model-stopped", this.#stopped.message);
    return this.#at ?? this.#beginning();
  }

  /** Why it goes no further, if so. */
  get stopped(): string | undefined {
    return this.#stopped?.message;
  }

  /** Does it wait for nothing to be at the channel's head? */
  get current(): boolean {
    const { head } = this.channel;
    if (this.#revision !== head.revision) return false;
    if (this.#stopped) return true;
    const at = this.#at?.position;
    return at !== undefined && at.offset === head.offset && at.epoch === head.epoch && at.tag === head.tag;
  }

  get since(): number {
    return this.#since;
  }

  get stored(): number {
    return this.#stored;
  }

  /** A snapshot was stored. */
  noteStored(position: Position): void {
    this.#since = 0;
    this.#stored = position.offset;
  }

  /**
   * Reads on to the channel's head, at once where memory has it.
   *
   * @returns a promise where the log is to be asked. Rejects with `storage-unavailable` or `internal` (the channel was let go)
   */
  advance(): Promise<void> | undefined {
    if (this.#advancing) return this.#advancing;
    if (this.#revision !== this.channel.head.revision) {
      this.#at = undefined;
      this.#stopped = undefined;
    }
    if (this.#at && this.#advanceFromMemory()) return undefined;
    if (this.current) return undefined;
    this.#advancing = this.#advance().finally(() => {
      this.#advancing = undefined;
    });
    return this.#advancing;
  }

  #advanceFromMemory(): boolean {
    while (!this.current && this.#at) {
      const next = this.channel.next(this.#at.position);
      if (next instanceof Promise) return false;
      if (next.kind === "reset") return false;
      if (next.kind === "head") return true;
      this.#apply(next.batch.events, next.batch.end);
    }
    return this.current;
  }

  async #advance(): Promise<void> {
    let isFresh = this.#at === undefined;
    for (let loads = 0; ; ) {
      try {
        this.#at ??= await this.#load();
      } catch (error) {
        return this.#stop(error);
      }
      const next = this.#at && (await this.channel.next(this.#at.position));
      if (this.channel.closed)
        throw new TandemError("internal", "The channel was let go while its model was being read.");
      if (next?.kind === "batch") this.#apply(next.batch.events, next.batch.end);
      else if (next?.kind === "head" && !(isFresh && (await this.#isOutdated()))) return this.#settle();
      else {
        // The channel's history is another one, or this node had not got to where it was trimmed, or to where a snapshot stands; or
        // something was erased meanwhile.
        if (++loads >= LOADS) throw errorOf("storage-unavailable", { retryAfter: 1_000 });
        this.#at = undefined;
        isFresh = true;
        await this.channel.catchUp();
      }
    }
  }

  /** Does the log know of a newer revision than the one that was read? States of one revision are the same on all nodes. */
  async #isOutdated(): Promise<boolean> {
    const [head] = await this.#ports.log.heads([this.channel.key]);
    return head !== undefined && head.revision !== this.#revision;
  }

  /** An unborn channel's head has no epoch of its own: a position before it stands for its beginning. */
  #settle(): void {
    if (this.#at && this.#at.position.offset === this.channel.head.offset) {
      this.#at = { ...this.#at, position: this.channel.position };
    }
  }

  #apply(events: readonly SharedEvent[], end: Position): void {
    if (!this.#at || this.#stopped) return;
    let { state, tag } = this.#at;
    for (const event of events) {
      const of = modelEvent(this.name, event.value);
      if (!of) continue;
      tag = chainTag(tag, event.stored.id);
      this.#since++;
      try {
        state = evolve(this.model, state, of);
      } catch (error) {
        this.#stop(error);
        break;
      }
    }
    this.#at = { state, tag, position: end };
  }

  /** @throws what it is given, where that is not what a model stops at */
  #stop(error: unknown): void {
    if (!(error instanceof ModelStopped)) throw error;
    this.#ports.logger.error({ error, channel: this.channel.key, model: this.name }, "a model stopped");
    this.#stopped = error;
  }

  /** From the newest snapshot that is of this history, else from the oldest event that is kept; `undefined` where this node knows too little. */
  async #load(): Promise<StateAt | undefined> {
    this.#keys = undefined;
    this.#revision = this.channel.head.revision;
    this.#since = 0;
    this.#stored = 0;
    const { head } = this.channel;
    const oldest = head.first > 1 ? await this.channel.back(Number.MAX_SAFE_INTEGER) : undefined;
    const snapshots = await this.#ports.log.snapshots(this.channel.key, this.name);
    for (const stored of snapshots) {
      if (stored.position.epoch !== head.epoch || stored.position.offset > head.offset) continue;
      const loaded = await loadSnapshot(this.#ports.log, this.model, stored);
      if (!loaded) continue;
      this.#stored = stored.position.offset;
      return loaded;
    }
    if (!oldest) return this.#beginning();
    // Without a snapshot nothing of this model was trimmed: its log keeps everything of one that has fewer than two.
    const isOldest = oldest.epoch === head.epoch && oldest.offset === head.first - 1;
    if (snapshots.length > 0 || !isOldest) return undefined;
    return { state: this.model.initial(), position: oldest, tag: "" };
  }

  #beginning(): StateAt {
    return { state: this.model.initial(), position: { epoch: UNBORN, offset: 0, tag: "" }, tag: "" };
  }

  /** Reads the keys that its secrets are sealed with. They are there (`keysAreCurrent`), or there is more to be read first. */
  async loadKeys(): Promise<void> {
    const { tag } = this.at;
    if (this.#keys?.tag === tag) return;
    const stored = await this.#ports.log.keys(this.channel.key, this.name);
    if (stored.tag === tag) this.#keys = { tag, map: new Map(stored.keys.map(({ name, key }) => [name, key])) };
    // Others have decided meanwhile: these keys go with a state that is still to be read.
    else if (!(await this.channel.catchUp())) throw errorOf("storage-unavailable", { retryAfter: 1_000 });
  }

  /** Are the keys that it knows those of where it stands? */
  get keysAreCurrent(): boolean {
    return this.#stopped !== undefined || this.#keys?.tag === this.at.tag;
  }

  get keys(): ReadonlyMap<string, string> {
    return this.#keys?.map ?? new Map();
  }
}
