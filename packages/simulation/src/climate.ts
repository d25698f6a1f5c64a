import type { Limits } from "@tandem/protocol";
import type { BusWeather } from "./bus.ts";
import type { Weather } from "./network.ts";
import type { Random } from "./random.ts";
import type { StorageWeather } from "./storage.ts";

/** What a schedule is like as a whole. Each has its own, so that faults meet in all combinations, and some stay away. */
export interface Climate {
  readonly nodes: number;
  readonly clients: number;
  readonly channels: number;
  /** Mean milliseconds between two operations. */
  readonly pace: number;
  readonly network: Weather;
  readonly bus: BusWeather;
  readonly storage: StorageWeather;
  /** What nodes remember of a channel: mostly little, so that those who are behind read from the log. */
  readonly recent: { readonly events: number; readonly bytes: number };
  /** Least milliseconds between two flushes of what can wait. */
  readonly flushPause: number;
  /** The nodes' bounds, where they are not the usual ones. */
  readonly limits: Partial<Limits>;
  /** Events of a kind that comes in masses, now and then: long backlogs. */
  readonly floods: boolean;
  /** Wall clocks are off, and jump. */
  readonly clocks: boolean;
  /** Tokens are good for this long, in milliseconds. */
  readonly tokenLife: number;
}

/** The weather once faults have stopped. */
export const FAIR = {
  network: { latency: 5, refused: 0, unanswered: 0, narrow: 0 },
  bus: { delay: 2, loss: 0, duplication: 0 },
  storage: { commit: 2, read: 1, refused: 0, replyLost: 0, late: 0, readFailed: 0 },
} as const;

/** Draws a climate: each fault is absent in about half of the schedules. */
export function drawClimate(random: Random): Climate {
  // A narrow way takes its time for a frame: nobody may take that for silence.
  const narrow = random.chance(0.2) ? random.pick([0.2, 0.6]) : 0;
  const maybe = (most: number) => (random.chance(0.5) ? random.between(0, most) : 0);
  return {
    nodes: random.whole(2, 3),
    clients: random.whole(3, 5),
    channels: random.whole(1, 4),
    pace: random.pick([30, 80, 150]),
    network: { latency: random.pick([2, 20, 120]), refused: maybe(0.2), unanswered: maybe(0.1), narrow },
    bus: { delay: random.pick([1, 15, 200]), loss: maybe(0.3), duplication: maybe(0.3) },
    storage: {
      commit: random.pick([1, 8, 60]),
      read: random.pick([0.5, 4, 40]),
      refused: maybe(0.1),
      replyLost: maybe(0.1),
      late: maybe(0.05),
      readFailed: maybe(0.1),
    },
    recent: random.pick([
      { events: 4, bytes: 4_000 },
      { events: 20, bytes: 20_000 },
      { events: 512, bytes: 262_144 },
    ]),
    flushPause: random.pick([0, 0, 2, 8]),
    limits: drawLimits(random, narrow > 0 || random.chance(0.1)),
    floods: random.chance(0.3),
    clocks: random.chance(0.5),
    tokenLife: random.pick([4_000, 12_000, 60_000]),
  };
}

/** @param patient silence is borne for longer */
function drawLimits(random: Random, patient: boolean): Partial<Limits> {
  return {
    ...(patient ? { pingMs: 25_000, pongMs: 20_000 } : {}),
    ...(random.chance(0.2) ? { bytesPerSecond: random.pick([4_000, 20_000]) } : {}),
    ...random.pick([
      {},
      {},
      { publishesPerConnection: 30, publishesPerUser: 40 },
      { publishesPerConnection: 5, publishesPerUser: 8 },
      { publishesPerAddress: 6 },
    ]),
    ...random.pick([{}, {}, {}, { connectionsPerUser: 2 }, { connectionsPerUser: 3, connectionsPerAddress: 2 }]),
  };
}
