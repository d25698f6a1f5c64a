import type { MeasuredOptions } from "../measured/measured-server.ts";
import { MeasuredServer } from "../measured/measured-server.ts";
import { percentile } from "../measured/percentile.ts";
import { FullMember } from "./full-member.ts";
import { RawMover } from "./raw-mover.ts";

export interface CrowdOptions extends MeasuredOptions {
  readonly members: number;
  /** Of them, those with the whole client library. */
  readonly full: number;
  readonly movesPerSecond: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface CrowdRound {
  readonly moveP50Ms: number;
  readonly moveP95Ms: number;
  readonly moveP99Ms: number;
  /** Moves a second of one member that one screen was shown: the least of all pairs for the full clients, of all screens for the others. */
  readonly deliveredPerMoverPerSecond: number;
  /** CPU time of the server's process, in seconds, in the measured span. */
  readonly cpuSeconds: number;
  /** Share of one core that it took. */
  readonly cpuShare: number;
  /** Moves that each member made a second. */
  readonly movedPerSecond: number;
  /** Share of one core that the load took. */
  readonly loadCpu: number;
}

/** Members that come in at the same time. */
const AT_ONCE = 25;

/** Most moves that are made up for in one turn, when a timer came late. */
const CATCH_UP = 100;

interface Member {
  move(): void;
}

/** One room in which everybody moves and everybody sees everybody. @throws Error when a member was refused something, or lost its connection */
export async function measureCrowd(options: CrowdOptions): Promise<CrowdRound> {
  const server = await MeasuredServer.start("tandem", options);
  const crowd = new Crowd(server.port);
  try {
    await Promise.race([crowd.enter(options), crowd.failed, server.failed]);
    const pause = (ms: number) =>
      Promise.race([new Promise((resolve) => void setTimeout(resolve, ms)), crowd.failed, server.failed]);
    crowd.begin(options.movesPerSecond);
    await pause(options.warmUpMs);
    crowd.measure();
    const before = { usage: await server.ask("usage"), time: performance.now(), cpu: process.cpuUsage() };
    await pause(options.measureMs);
    const after = await server.ask("usage");
    const seconds = (performance.now() - before.time) / 1_000;
    const { user, system } = process.cpuUsage(before.cpu);
    const cpuSeconds = (after.cpuMicros - before.usage.cpuMicros) / 1e6;
    return {
      ...crowd.result(seconds),
      cpuSeconds,
      cpuShare: cpuSeconds / seconds,
      loadCpu: (user + system) / 1e6 / seconds,
    };
  } finally {
    await crowd.leave();
    await server.end();
  }
}

class Crowd {
  readonly failed: Promise<never>;
  readonly #port: number;
  readonly #full: FullMember[] = [];
  readonly #raw: RawMover[] = [];
  #fail: (error: Error) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #since = 0;
  #moves = 0;
  #before: { readonly moves: number; readonly seen: readonly number[] } = { moves: 0, seen: [] };

  constructor(port: number) {
    this.#port = port;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
  }

  get #members(): readonly Member[] {
    return [...this.#full, ...this.#raw];
  }

  async enter({ members, full }: CrowdOptions): Promise<void> {
    for (let number = 0; number < members; ) {
      const coming: Promise<void>[] = [];
      for (; coming.length < AT_ONCE && number < members; number++) {
        coming.push(number < full ? this.#enterFull(number) : this.#enterRaw(number));
      }
      await Promise.all(coming);
    }
  }

  #enterFull(number: number): Promise<void> {
    const member = new FullMember(this.#port, number, this.#fail);
    this.#full.push(member);
    return member.entered();
  }

  #enterRaw(number: number): Promise<void> {
    return new Promise((resolve) => {
      this.#raw.push(new RawMover(this.#port, number, { entered: resolve, failed: this.#fail }));
    });
  }

  /** Everybody moves, one after the other, evenly over each second. */
  begin(movesPerSecond: number): void {
    const members = this.#members;
    this.#since = performance.now();
    const perMs = (members.length * movesPerSecond) / 1_000;
    const turn = (): void => {
      const due = Math.floor((performance.now() - this.#since) * perMs);
      for (let at = 0; at < Math.min(due, CATCH_UP); at++) members[this.#moves++ % members.length]?.move();
      this.#since = due > CATCH_UP ? performance.now() : this.#since + due / perMs;
      this.#timer = setTimeout(turn, 1);
    };
    turn();
  }

  measure(): void {
    for (const member of this.#full) member.begin();
    this.#before = { moves: this.#moves, seen: this.#raw.map(({ seen }) => seen) };
  }

  result(seconds: number): Omit<CrowdRound, "cpuSeconds" | "cpuShare" | "loadCpu"> {
    const members = this.#members.length;
    const delays = Float64Array.from(this.#full.flatMap((member) => member.delays)).sort();
    const pairs = this.#full.flatMap(({ seenOf }) =>
      seenOf.size < members - 1 ? [0] : [...seenOf.values()].map((seen) => seen / seconds),
    );
    const screens = this.#raw.map(({ seen }, at) => (seen - (this.#before.seen[at] ?? 0)) / members / seconds);
    return {
      moveP50Ms: percentile(delays, 0.5) / 1_000,
      moveP95Ms: percentile(delays, 0.95) / 1_000,
      moveP99Ms: percentile(delays, 0.99) / 1_000,
      deliveredPerMoverPerSecond: Math.min(...pairs, ...screens),
      movedPerSecond: (this.#moves - this.#before.moves) / members / seconds,
    };
  }

  async leave(): Promise<void> {
    clearTimeout(this.#timer);
    for (const member of this.#raw) member.destroy();
    await Promise.all(this.#full.map((member) => member.leave()));
  }
}
