import type { JobWorker } from "@tandem/client";
import { work } from "@tandem/client";
import type { Process } from "../process.ts";
import type { Random } from "../random.ts";
import type { Visitor } from "../visitor.ts";
import { split } from "../visitor.ts";
import type { World } from "../world.ts";
import { memoOf, workshopModels } from "./bench.ts";
import { Labour } from "./labour.ts";
import type { Shop } from "./shop.ts";
import { ofTandem, witnessed } from "./witness.ts";

/** Mean milliseconds until one who is not at work any more is replaced. */
const AGAIN_MS = 800;

/** Leases that workers ask for, in milliseconds. */
const LEASES = [1_000, 2_000, 6_000];

/** One worker, from when it is wanted. */
interface Stint {
  worker: JobWorker | undefined;
  readonly end: () => void;
}

/** The workers of a schedule: in clients of visitors, and in processes of nodes. Each goes down with its process, and another takes its place. */
export class Staff {
  readonly labour: Labour;
  readonly #world: World;
  readonly #random: Random;
  readonly #channel: string;
  readonly #tenant: string;
  readonly #visitors: readonly Visitor[];
  readonly #stints: Stint[] = [];

  constructor(
    world: World,
    shop: Shop,
    random: Random,
    where: { readonly tenant: string; readonly channel: string; readonly visitors: readonly Visitor[] },
  ) {
    this.#world = world;
    this.#random = random;
    this.#tenant = where.tenant;
    this.#channel = where.channel;
    this.#visitors = where.visitors.filter(({ person }) => person.tenant === where.tenant);
    this.labour = new Labour(world, shop);
  }

  start(): void {
    const some = this.#visitors.filter(() => this.#random.chance(0.5));
    for (const visitor of some.slice(0, 2)) this.#hire(visitor);
    this.#employ();
  }

  /** Somebody goes home, and comes back. */
  rest(): void {
    const stint = this.#stints.length > 0 ? this.#random.pick(this.#stints) : undefined;
    void stint?.worker?.close().then(stint.end);
  }

  /** Begins anew a while after this one has ended: by its process, or in good order. */
  #stint(process: Process, again: () => void): Stint {
    const stint: Stint = {
      worker: undefined,
      end: () => {
        const at = this.#stints.indexOf(stint);
        if (at < 0) return;
        this.#stints.splice(at, 1);
        this.#world.clock.after(this.#random.around(AGAIN_MS), undefined, again);
      },
    };
    this.#stints.push(stint);
    process.whenGone(stint.end);
    return stint;
  }

  #options() {
    return { concurrency: this.#random.whole(1, 3), lease: this.#random.pick(LEASES) };
  }

  /** A worker in a client, as long as its page lives. */
  #hire(visitor: Visitor): void {
    const { client, process } = visitor;
    const channel = client.channel(...(split(this.#channel) as ["bench", string]));
    const memo = (job: string, fence: { name: string; token: number }) => {
      const n = this.#world.history.number();
      if (visitor.client === client)
        visitor.publish(this.#channel, "memo", { n, about: n % 4, text: memoOf(job) }, undefined, fence);
    };
    const hand = { channel: `${this.#tenant}/${this.#channel}`, process, random: this.#random.fork(), memo };
    const stint = this.#stint(process, () => this.#hire(visitor));
    stint.worker = work(channel, "jobs", workshopModels.jobs as never, {
      ...this.#options(),
      run: this.labour.of(hand),
    });
    this.#world.tally.count("path", "worker.client");
  }

  /** A worker in a node's process, as long as that lives. */
  #employ(): void {
    const up = this.#world.hosts.flatMap(({ node, process }) => (node && process ? [{ node, process }] : []));
    const { node, process } = up.length > 0 ? this.#random.pick(up) : {};
    if (!node || !process)
      return void this.#world.clock.after(this.#random.around(AGAIN_MS), undefined, () => this.#employ());
    const stint = this.#stint(process, () => this.#employ());
    const hand = { channel: `${this.#tenant}/${this.#channel}`, process, random: this.#random.fork() };
    witnessed(this.#world, node.application(this.#tenant), process)
      .work(this.#channel, "jobs", { ...this.#options(), run: this.labour.of(hand) })
      .then(
        (worker) => {
          stint.worker = worker;
          this.#world.tally.count("path", "worker.node");
        },
        (error: unknown) => {
          ofTandem(error);
          stint.end();
        },
      );
  }
}
