import type { Client, Following } from "@tandem/client";
import { follow, following, unfollow } from "@tandem/client";
import type { Start } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { SimulatedApp } from "../app.ts";
import type { Reader } from "../history.ts";
import type { Fact } from "../ledger.ts";
import type { Visitor } from "../visitor.ts";
import { before, split } from "../visitor.ts";
import type { World } from "../world.ts";
import type { Change } from "./lists.ts";

/** A change that takes longer than this, in milliseconds, was forgotten: it is given up after 30 s. */
const GIVEN_UP_MS = 40_000;

/** One life of a visitor's client, with what it follows. */
export class Tuner {
  readonly client: Client<SimulatedApp>;
  readonly #world: World;
  readonly #visitor: Visitor;
  readonly #readers = new Map<string, Reader>();
  #following: Following | undefined;
  readonly #waiting = new Set<Change>();

  constructor(world: World, visitor: Visitor) {
    this.#world = world;
    this.#visitor = visitor;
    this.client = visitor.client;
  }

  /** It reads what its user follows. */
  get tuned(): boolean {
    return this.#following !== undefined;
  }

  /** The list, as it knows it. */
  get channels(): readonly string[] {
    return this.#following?.channels.get() ?? [];
  }

  /** Changes that it waits for. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Has a change been forgotten? */
  get overdue(): boolean {
    return [...this.#waiting].some(({ invokedAt }) => this.#world.clock.now - invokedAt > GIVEN_UP_MS);
  }

  change(type: "follow" | "unfollow", channel: string): void {
    const { clock, lists, tally } = this.#world;
    const { tenant, user } = this.#visitor.person;
    const change = lists.asked({ tenant, user, type, channel, invokedAt: clock.now });
    this.#waiting.add(change);
    const [kind, id] = split(channel);
    const make = type === "follow" ? follow : unfollow;
    make(this.client, kind, id)
      .then(
        () => {
          lists.answered(change, clock.now);
          tally.count("path", `${type}-done`);
        },
        (error: unknown) => {
          if (!(error instanceof TandemError)) throw error;
          change.givenUpAt = clock.now;
          tally.count("path", `${type}-failed.${error.code}`);
        },
      )
      .finally(() => this.#waiting.delete(change));
  }

  tuneIn(from: Start | undefined): void {
    if (this.#following) return;
    this.#following = following(this.client, {
      from,
      onEvents: (events, { channel, position }) => {
        const { clock, ledger } = this.#world;
        const reader = this.#reader(channel);
        if (reader.given.length === 0) {
          // Where it begins it is not told: its first event tells.
          const first: Fact | undefined = ledger.ofId(reader.channel, events[0]?.id ?? "").at(-1);
          reader.given.push({ kind: "start", at: clock.now, position: before(first), reset: false });
        }
        for (const { offset, id, version, data } of events)
          reader.given.push({ kind: "event", at: clock.now, offset, id, version, data });
        reader.given.push({ kind: "stand", at: clock.now, position });
        if (channel.startsWith("user")) this.#world.tally.count("path", "personal-events");
      },
      onReset: (_reason, position, { channel }) => {
        const { clock } = this.#world;
        this.#reader(channel).given.push({ kind: "start", at: clock.now, position, reset: true });
      },
      onError: (_error, { channel }) => this.#end(channel),
    });
    this.#following.channels.subscribe(() => {
      const { channels } = this;
      for (const channel of [...this.#readers.keys()]) if (!channels.includes(channel)) this.#end(channel);
    });
  }

  tuneOut(): void {
    this.#following?.stop();
    this.#following = undefined;
    for (const channel of [...this.#readers.keys()]) this.#end(channel);
  }

  /** What it was given last of a channel; `undefined`: nothing. */
  lastOf(channel: string): Reader["given"][number] | undefined {
    return this.#readers.get(channel)?.given.at(-1);
  }

  #reader(channel: string): Reader {
    const { instance, person } = this.#visitor;
    const known = this.#readers.get(channel);
    if (known) return known;
    const reader = this.#world.history.reader(`${instance}.following`, person.user, `${person.tenant}/${channel}`);
    this.#readers.set(channel, reader);
    return reader;
  }

  #end(channel: string): void {
    const reader = this.#readers.get(channel);
    if (reader) reader.endedAt = this.#world.clock.now;
    this.#readers.delete(channel);
  }
}
