import type { Host } from "./host.ts";
import type { Random } from "./random.ts";
import type { Visitor } from "./visitor.ts";
import type { World } from "./world.ts";

const WEIGHTS = {
  "connection-cut": 8,
  "connection-half-open": 3,
  "slow-reader": 4,
  "node-crash": 3,
  "node-pause": 2,
  "node-deaf": 2,
  "node-drain": 1.5,
  "rolling-restart": 0.7,
  "client-pause": 1.5,
  "clock-jump": 2,
  "storage-stall": 2,
  "disk-full": 1.2,
  "bus-outage": 2,
  "back-up": 1,
  restore: 0.7,
};

type Fault = keyof typeof WEIGHTS;

/** Breaks things, each for a while. */
export class Faults {
  readonly #world: World;
  readonly #visitors: readonly Visitor[];
  readonly #random: Random;
  readonly #weights: Readonly<Record<Fault, number>>;
  #stopped = false;

  constructor(world: World, visitors: readonly Visitor[], random: Random) {
    this.#world = world;
    this.#visitors = visitors;
    this.#random = random;
    const weights = Object.entries(WEIGHTS).map(([name, weight]) => [name, random.chance(0.5) ? weight : 0]);
    this.#weights = {
      ...(Object.fromEntries(weights) as Record<Fault, number>),
      "connection-cut": WEIGHTS["connection-cut"],
    };
  }

  /** No new ones, and none of those that were to come back for more. */
  stop(): void {
    this.#stopped = true;
  }

  strike(): void {
    const fault = this.#random.weighted(this.#weights);
    this.#world.say(() => `— — ${fault}`);
    if (this.#strike(fault)) this.#world.tally.count("fault", fault);
  }

  /** @returns whether there was something to break */
  #strike(fault: Fault): boolean {
    const world = this.#world;
    const random = this.#random;
    const now = world.clock.now;
    switch (fault) {
      case "connection-cut":
      case "connection-half-open":
        return this.#cut(fault === "connection-half-open");
      case "slow-reader":
        return this.#slow();
      case "node-crash":
        return this.#crash(random.pick(world.hosts));
      case "node-pause": {
        const { process } = random.pick(world.hosts);
        const ms = random.around(2_500);
        process?.pause(ms);
        if (process) world.disturb(process, ms);
        return process !== undefined;
      }
      case "node-deaf": {
        // It goes on to hear from other nodes, and does not learn what is in the log.
        const { process } = random.pick(world.hosts);
        Object.assign(world.storage.deaf, { process, until: now + random.between(3_000, 12_000) });
        return process !== undefined;
      }
      case "node-drain":
        return this.#restart(random.pick(world.hosts));
      case "rolling-restart":
        world.hosts.forEach((host, at) => {
          world.clock.after(at * 1_500, undefined, () => void (this.#stopped || this.#restart(host)));
        });
        return true;
      case "client-pause":
        random.pick(this.#visitors).process.pause(random.around(4_000));
        return true;
      case "clock-jump":
        return this.#jump();
      case "storage-stall":
        world.stallStorage(now + random.around(1_500));
        return true;
      case "disk-full":
        world.storage.fullUntil = now + random.around(2_000);
        return true;
      case "bus-outage":
        world.bus.outageUntil = now + random.around(3_000);
        return true;
      case "back-up":
        world.backUp();
        return true;
      case "restore":
        return this.#restore();
    }
  }

  #cut(halfOpen: boolean): boolean {
    const random = this.#random;
    const connections = [...this.#world.network.connections].filter((connection) => connection.whole);
    if (connections.length === 0) return false;
    const connection = random.pick(connections);
    if (!halfOpen) connection.cut(random.around(100), random.around(1_000));
    else if (random.chance(0.5)) connection.cut(random.around(100), undefined);
    else connection.cut(undefined, random.chance(0.5) ? random.around(100) : undefined);
    return true;
  }

  #slow(): boolean {
    const random = this.#random;
    const connections = [...this.#world.network.connections];
    if (connections.length === 0) return false;
    const { down } = random.pick(connections);
    down.narrow(random.between(0.5, 6));
    this.#world.clock.after(random.around(6_000), undefined, () => down.narrow());
    return true;
  }

  #crash(host: Host): boolean {
    if (!host.process) return false;
    host.crash(0.2);
    this.#world.clock.after(this.#random.around(1_500), undefined, () => host.start());
    return true;
  }

  #restart(host: Host): boolean {
    if (!host.up) return false;
    void host.drain(this.#random.pick([0, 1_000])).then(() => host.start());
    return true;
  }

  #jump(): boolean {
    const world = this.#world;
    const random = this.#random;
    const processes = [
      ...world.hosts.flatMap((host) => host.process ?? []),
      ...this.#visitors.map((visitor) => visitor.process),
    ];
    random.pick(processes).skew += random.pick([-20_000, -3_000, 2_000, 9_000]);
    return true;
  }

  /** All nodes stop, the store goes back to its copy, all nodes start. */
  #restore(): boolean {
    const world = this.#world;
    if (!world.hasBackup || world.restoring) return false;
    world.restoring = true;
    for (const host of world.hosts) host.crash(0);
    world.clock.after(this.#random.around(1_000), undefined, () => world.restore());
    return true;
  }
}
