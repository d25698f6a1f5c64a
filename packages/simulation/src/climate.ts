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
  /** Wall clocks are off, and jump. */
  readonly clocks: boolean;
  /** Tokens are good for this long, in milliseconds. */
  readonly tokenLife: number;
}

/** The weather once faults have stopped. */
export const FAIR = {
  network: { latency: 5, refused: 0, unanswered: 0 },
  bus: { delay: 2, loss: 0, duplication: 0 },
  storage: { commit: 2, read: 1, refused: 0, replyLost: 0, late: 0, readFailed: 0 },
} as const;

/** Draws a climate: each fault is absent in about half of the schedules. */
export function drawClimate(random: Random): Climate {
  const maybe = (most: number) => (random.chance(0.5) ? random.between(0, most) : 0);
  return {
    nodes: random.whole(2, 3),
    clients: random.whole(3, 5),
    channels: random.whole(1, 3),
    pace: random.pick([30, 80, 150]),
    network: { latency: random.pick([2, 20, 120]), refused: maybe(0.2), unanswered: maybe(0.1) },
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
    clocks: random.chance(0.5),
    tokenLife: random.pick([4_000, 12_000, 60_000]),
  };
}
