import type { Node } from "@tandem/server/core";
import { createNode } from "@tandem/server/core";
import { createApp } from "./app.ts";
import type { Listener } from "./connection.ts";
import { digest } from "./digest.ts";
import { Process } from "./process.ts";
import { virtualVault } from "./vault.ts";
import type { World } from "./world.ts";
import { worldLogger } from "./world-logger.ts";

/** A node that does not come up is started again after this long, in milliseconds. */
const RESTART_MS = 500;

type State =
  | { readonly kind: "down" }
  | { readonly kind: "starting" | "up" | "draining"; readonly process: Process; readonly node: Node };

/** A machine on which a node runs: it starts, crashes, drains and starts again, each time as a new process. */
export class Host {
  readonly name: string;
  readonly #world: World;
  #state: State = { kind: "down" };
  #starts = 0;

  constructor(name: string, world: World) {
    this.name = name;
    this.#world = world;
  }

  get process(): Process | undefined {
    return this.#state.kind === "down" ? undefined : this.#state.process;
  }

  get up(): boolean {
    return this.#state.kind === "up";
  }

  get node(): Node | undefined {
    return this.#state.kind === "up" ? this.#state.node : undefined;
  }

  /** As the load balancer sees it: a draining node is still given clients for a moment. */
  get listener(): Listener | undefined {
    const state = this.#state;
    if (state.kind !== "up" && state.kind !== "draining") return undefined;
    return { process: state.process, accept: (transport) => state.node.accept(transport) };
  }

  start(): void {
    const world = this.#world;
    if (this.#state.kind !== "down" || world.restoring) return;
    const process = new Process(
      `${this.name}.${++this.#starts}`,
      world.clock,
      world.random.fork(),
      worldLogger(this.#world, this.name),
      world.skew(),
    );
    const log = world.storage.handle(process);
    const bus = world.bus.handle(process);
    const { editions } = world;
    const isOld = editions.drawOld();
    const node = createNode({
      app: createApp(world.memberships.access(process), world.scope, world.desks.older),
      log: isOld ? editions.oldLog(log) : log,
      bus: isOld ? editions.oldBus(bus) : bus,
      authenticator: world.tokens.authenticator(process),
      runtime: process.runtime,
      digest,
      vault: virtualVault(process.runtime),
      limits: world.limits,
      recent: world.climate.recent,
      flush: { leastMs: world.climate.flushPause },
    });
    this.#state = { kind: "starting", process, node };
    node.start().then(
      () => {
        if (this.#state.kind === "starting" && this.#state.process === process)
          this.#state = { kind: "up", process, node };
      },
      () => {
        world.tally.count("path", "start-failed");
        this.crash(0);
        world.clock.after(RESTART_MS, undefined, () => this.start());
      },
    );
  }

  /** @param silent share of its clients that are not told: their machine lost its way to this one */
  crash(silent: number): void {
    if (this.#state.kind === "down") return;
    const { process } = this.#state;
    process.crash();
    const { network, bus, random } = this.#world;
    for (const connection of network.of(process)) {
      connection.nodeGone(random.chance(silent) ? undefined : random.around(50));
    }
    bus.leave(process);
    this.#state = { kind: "down" };
  }

  /** Stops as an operator stops it: finishes what was begun, lets its clients go, ends. */
  async drain(spreadMs: number): Promise<void> {
    if (this.#state.kind !== "up") return;
    const { process, node } = this.#state;
    this.#state = { kind: "draining", process, node };
    await node.drain(spreadMs, 5_000);
    node.destroy();
    if (this.#state.kind === "draining" && this.#state.process === process) this.crash(0);
  }
}
