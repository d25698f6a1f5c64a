import type { Position } from "@tandem/protocol";
import { mintedAt } from "@tandem/protocol";
import { decideAppend } from "./decide.ts";
import { tenantOf } from "./key.ts";
import type { Append, AppendResult, ChannelKey, ConsumerPosition, Head, LogBounds, Outcome } from "./log.ts";
import { DEFAULT_LOG_BOUNDS } from "./log.ts";
import { MemoryChannel } from "./memory-channel.ts";
import { MemoryFollowing } from "./memory-following.ts";
import type { Deadline } from "./model-log.ts";

interface Producer {
  readonly owner: string;
  readonly channel: ChannelKey;
  readonly minted: number;
  mark: number;
  used: number;
  /** Settled attempts by seq, at most `bounds.outcomes`. */
  readonly outcomes: Map<number, { readonly digest: string; readonly outcome: Outcome }>;
}

interface State {
  readonly channels: Map<ChannelKey, MemoryChannel>;
  readonly producers: Map<string, Producer>;
  /** Marks per owner (tenant and user). */
  readonly marks: Map<string, number>;
  readonly consumers: Map<string, Position>;
  readonly following: MemoryFollowing;
  horizon: number;
}

/** A frozen copy of a store, as a backup is. */
export interface MemorySnapshot {
  readonly state: State;
}

/**
 * What a memory log holds. Several logs (the nodes of a cluster) may share one store, as they would share a database.
 * Everything happens at once; the log in front of it makes it asynchronous.
 */
export class MemoryStore {
  readonly #bounds: LogBounds;
  #state: State = {
    channels: new Map(),
    producers: new Map(),
    marks: new Map(),
    consumers: new Map(),
    following: new MemoryFollowing(),
    horizon: 0,
  };

  constructor(bounds: Partial<LogBounds> = {}) {
    this.#bounds = { ...DEFAULT_LOG_BOUNDS, ...bounds };
  }

  append(append: Append): AppendResult {
    const { channels, producers } = this.#state;
    const { channel: key, producer } = append;
    const name = `${producer.id}/${key}/${producer.user}`;
    const known = producers.get(name);
    const channel = channels.get(key) ?? new MemoryChannel(key);
    const owner = `${tenantOf(key)}/${producer.user}`;
    const decision = decideAppend(
      append,
      known && { mark: known.mark, outcome: (seq) => known.outcomes.get(seq) },
      channel,
      channel.models,
      this.#bounds,
      () => this.#state.marks.get(owner) ?? 0,
      this.#state.horizon,
    );
    if (decision.kind === "answer") return decision.result;
    const result: AppendResult =
      decision.kind === "store" ? this.channel(key).store(append) : { kind: "refused", refusal: decision.refusal };
    const outcome: Outcome =
      result.kind === "committed" ? { kind: "committed", position: this.channel(key).position() } : result;
    const settled = known ?? this.#newProducer(name, append, owner);
    settled.mark = producer.seq;
    settled.used = Math.max(settled.used, append.now);
    settled.outcomes.set(producer.seq, { digest: producer.digest, outcome });
    settled.outcomes.delete(producer.seq - this.#bounds.outcomes);
    return result;
  }

  #newProducer(name: string, { channel, producer, now }: Append, owner: string): Producer {
    const { producers, marks } = this.#state;
    const made = { owner, channel, minted: mintedAt(producer.id), mark: 0, used: now, outcomes: new Map() };
    producers.set(name, made);
    marks.set(owner, (marks.get(owner) ?? 0) + 1);
    return made;
  }

  /** The channel, made if there is none yet. */
  channel(key: ChannelKey): MemoryChannel {
    let channel = this.#state.channels.get(key);
    if (!channel) {
      channel = new MemoryChannel(key);
      this.#state.channels.set(key, channel);
    }
    return channel;
  }

  /** The channel as it stands; reading a channel that there is not makes none. */
  peek(key: ChannelKey): MemoryChannel {
    return this.#state.channels.get(key) ?? new MemoryChannel(key);
  }

  list(after: ChannelKey | undefined, limit: number): Head[] {
    return [...this.#state.channels]
      .filter(([key, channel]) => (after === undefined || key > after) && (!channel.unborn || channel.archived))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([, channel]) => channel.head());
  }

  deadlines(limit: number): Deadline[] {
    return [...this.#state.channels]
      .filter(([, channel]) => !channel.archived)
      .flatMap(([channel, { models }]) => models.deadlines().map((deadline) => ({ channel, ...deadline })))
      .sort((a, b) => a.at - b.at || (`${a.channel} ${a.model}` < `${b.channel} ${b.model}` ? -1 : 1))
      .slice(0, limit);
  }

  forgetProducers(now: number): number {
    const { producers, marks } = this.#state;
    const before = now - this.#bounds.marksAge;
    let forgotten = 0;
    for (const [name, { owner, minted, used }] of producers) {
      if (minted >= before || used >= before) continue;
      producers.delete(name);
      marks.set(owner, (marks.get(owner) ?? 0) - 1);
      this.#state.horizon = Math.max(this.#state.horizon, minted + 1);
      forgotten++;
    }
    this.#forgetChannels();
    return forgotten;
  }

  /** Forgets channels that are nothing and that no producer knows. */
  #forgetChannels(): void {
    const { channels, producers } = this.#state;
    const known = new Set([...producers.values()].map((producer) => producer.channel));
    for (const [key, channel] of channels) {
      if (channel.nothing && !known.has(key)) channels.delete(key);
    }
  }

  loadConsumer(name: string, channel: ChannelKey): Position | undefined {
    return this.#state.consumers.get(`${channel}/${name}`);
  }

  saveConsumer({ name, channel, position }: ConsumerPosition): void {
    this.#state.consumers.set(`${channel}/${name}`, position);
  }

  /** Who follows what. */
  get following(): MemoryFollowing {
    return this.#state.following;
  }

  /** A copy of everything, as a backup is. */
  snapshot(): MemorySnapshot {
    return { state: copyOf(this.#state) };
  }

  /** Goes back to a copy: what was stored since is gone, as after the restore of a backup. */
  restore(snapshot: MemorySnapshot): void {
    this.#state = copyOf(snapshot.state);
  }
}

function copyOf({ channels, producers, marks, consumers, following, horizon }: State): State {
  return {
    channels: new Map([...channels].map(([key, channel]) => [key, channel.clone()])),
    producers: new Map(
      [...producers].map(([name, producer]) => [name, { ...producer, outcomes: new Map(producer.outcomes) }]),
    ),
    marks: new Map(marks),
    consumers: new Map(consumers),
    following: following.clone(),
    horizon,
  };
}
