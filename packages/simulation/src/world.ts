import type { Limits } from "@tandem/protocol";
import { DEFAULT_LIMITS } from "@tandem/protocol";
import { createMemoryLog, MemoryStore } from "@tandem/server/core";
import { AdversarialBus } from "./bus.ts";
import type { Climate } from "./climate.ts";
import { drawClimate, FAIR } from "./climate.ts";
import { Clock } from "./clock.ts";
import type { Listener } from "./connection.ts";
import { Editions } from "./editions.ts";
import { Lists } from "./following/lists.ts";
import { History } from "./history.ts";
import { Host } from "./host.ts";
import type { Backup } from "./ledger.ts";
import { Ledger } from "./ledger.ts";
import { Memberships } from "./memberships.ts";
import { Desks } from "./models/desks.ts";
import { Network } from "./network.ts";
import type { Process } from "./process.ts";
import { Random } from "./random.ts";
import { Revocations } from "./revocations.ts";
import type { Scope } from "./scope.ts";
import { drawScope } from "./scope.ts";
import { Storage } from "./storage.ts";
import { Tally } from "./tally.ts";
import { Tokens } from "./tokens.ts";
import { Trace } from "./trace.ts";
import { Wire } from "./wire/wire.ts";

/** Limits that make what is rare frequent: small windows, quick pings. A climate has its own beside them. */
const LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  windowBytes: 16_384,
  pingMs: 4_000,
  pongMs: 2_000,
  inFlight: 16,
  requests: 16,
  historyPage: 50,
};

/** Whom a node refused again and again, because it could not read, waits this long at most before it asks once more, in milliseconds. */
const LONGEST_WAIT_MS = 30_000;

/** Outcomes that the store keeps per producer: as many as may be asked again. */
const OUTCOMES = 16;

/** The stream of chance that is the roads' own. */
const ROADS = 2;

/** …that of what a schedule has in it: one in which the seeds that were pinned before draw nothing of it, and stay what they were… */
const SCOPE = 57_455;

/** …and that of versions. */
const EDITIONS = 4;

/** Reads one after the other that a node may need to learn something, each way ten times as long as the mean at most. */
const READS = 20;

export interface WorldOptions {
  /** Lines of trace kept as text, the last ones. Default none. */
  readonly traceLines?: number | undefined;
  /** Virtual time up to which they are kept. Default: the end. */
  readonly traceUntil?: number | undefined;
}

/** Everything in a schedule but those who use it: time, chance, network, store, nodes, and the books that are kept. */
export class World {
  readonly random: Random;
  /** Chance of the roads that visitors take. */
  readonly roads: Random;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly tally = new Tally();
  readonly history = new History();
  readonly scope: Scope;
  readonly editions: Editions;
  readonly ledger: Ledger;
  /** Who follows what. */
  readonly lists: Lists;
  /** What is known of channels with models. */
  readonly desks: Desks;
  readonly climate: Climate;
  readonly limits: Limits;
  readonly tokens: Tokens;
  readonly storage: Storage;
  readonly bus: AdversarialBus;
  readonly network: Network;
  readonly revocations: Revocations;
  readonly memberships: Memberships;
  readonly wire: Wire;
  readonly hosts: readonly Host[];
  /** The store is being put back: no node may run. */
  restoring = false;
  /** The reckoning has begun: nothing new is asked for. */
  over = false;
  readonly #store: MemoryStore;
  readonly #disturbed = new Map<Process, number>();
  #storageDisturbedAt = Number.NEGATIVE_INFINITY;
  #backup: { readonly ledger: Backup; readonly store: ReturnType<MemoryStore["snapshot"]> } | undefined;

  constructor(seed: number, options: WorldOptions) {
    this.random = new Random(seed);
    this.scope = drawScope(new Random(seed, SCOPE));
    this.editions = new Editions(this.scope.editions ? new Random(seed, EDITIONS) : undefined, this.tally);
    this.ledger = new Ledger(this.editions);
    this.roads = new Random(seed, ROADS);
    this.trace = new Trace(options.traceLines, options.traceUntil);
    this.climate = drawClimate(this.random.fork());
    this.clock = new Clock((error, owner) => {
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.history.violate("G12", this.clock.now, `${owner?.name ?? "the simulator"} threw: ${stack}`);
    });
    const { clock, random, tally, ledger, climate } = this;
    this.desks = new Desks(ledger, this.history, tally);
    ledger.listen((at, batch, results) => this.desks.committed(at, batch, results));
    this.tokens = new Tokens(clock, random.fork());
    this.#store = new MemoryStore({ outcomes: OUTCOMES });
    const log = createMemoryLog({ store: this.#store });
    this.lists = new Lists(
      (follower) => this.#store.following.of(follower).channels,
      (process) => this.#disturbedAt(process),
    );
    const disturbed = () => {
      this.#storageDisturbedAt = Math.max(this.#storageDisturbedAt, clock.now);
    };
    this.storage = new Storage({
      clock,
      random: random.fork(),
      weather: climate.storage,
      store: log,
      ledger,
      lists: this.lists,
      tally,
      disturbed,
    });
    this.bus = new AdversarialBus(clock, random.fork(), climate.bus, tally);
    this.memberships = new Memberships(clock, random.fork(), tally);
    this.revocations = new Revocations((process) => this.#disturbedAt(process), this.memberships);
    this.limits = { ...LIMITS, ...climate.limits, ...this.scope.limits };
    const { history, tokens, revocations, limits, scope, lists, editions, desks } = this;
    const readMs = () => READS * this.storage.weather.read;
    this.wire = new Wire(
      { clock, ledger, history, tokens, revocations, tally, limits, scope, lists, editions, desks, readMs },
      this.trace,
    );
    this.network = new Network(clock, random.fork(), climate.network, this.wire, tally, () => this.#listeners());
    this.hosts = Array.from({ length: climate.nodes }, (_, at) => new Host(`node${at + 1}`, this));
  }

  #listeners(): Listener[] {
    return this.hosts.flatMap((host) => host.listener ?? []);
  }

  /** When last something kept a node from its work. */
  #disturbedAt(process: Process): number {
    return Math.max(this.#storageDisturbedAt, this.#disturbed.get(process) ?? 0);
  }

  /** How far a new process's wall clock is off, in milliseconds: never more than servers in one house are. */
  skew(): number {
    return this.climate.clocks ? this.random.between(-2_000, 2_000) : 0;
  }

  say(line: () => string): void {
    this.trace.say(this.clock.now, line);
  }

  /** Something kept a node from its work: what it should have done in time it may do late. */
  disturb(process: Process, ms: number): void {
    this.#disturbed.set(process, Math.max(this.#disturbed.get(process) ?? 0, this.clock.now + ms));
  }

  /** The store is kept from answering until `time`. */
  stallStorage(time: number): void {
    this.storage.stalledUntil = Math.max(this.storage.stalledUntil, time);
    this.#storageDisturbedAt = Math.max(this.#storageDisturbedAt, time);
  }

  /** A copy of the store is put aside. */
  backUp(): void {
    this.#backup = { ledger: this.ledger.backup(this.clock.now), store: this.#store.snapshot() };
  }

  get hasBackup(): boolean {
    return this.#backup !== undefined;
  }

  /** The store goes back to the last copy, and the nodes may start again. */
  restore(): void {
    const backup = this.#backup;
    if (!backup || !this.restoring) return;
    this.restoring = false;
    this.#store.restore(backup.store);
    this.ledger.restored(this.clock.now, backup.ledger);
    this.lists.restored(this.clock.now);
    this.revocations.restored(backup.ledger.at);
    for (const host of this.hosts) host.start();
  }

  /**
   * No more faults: what was broken is whole again, and what was down comes up.
   *
   * @returns when the last of what was begun under them has passed
   */
  calm(): number {
    const over = Math.max(
      this.clock.now,
      this.storage.stalledUntil,
      Math.min(this.clock.now, this.storage.deaf.until) + LONGEST_WAIT_MS,
      ...this.hosts.map((host) => host.process?.pausedUntil ?? 0),
    );
    Object.assign(this.climate.network, FAIR.network);
    Object.assign(this.climate.bus, FAIR.bus);
    Object.assign(this.climate.storage, FAIR.storage);
    this.storage.fullUntil = 0;
    this.storage.stalledUntil = 0;
    this.storage.deaf.until = Number.NEGATIVE_INFINITY;
    this.bus.outageUntil = 0;
    this.memberships.prompt = true;
    this.restore();
    for (const { down } of this.network.connections) down.narrow();
    for (const host of this.hosts) {
      if (host.process) host.process.skew = 0;
      host.start();
    }
    return over;
  }
}
