import * as v from "valibot";
import type { ConflictReason } from "../conflict.ts";
import { Rejection, reasons, reject } from "../decision.ts";
import { defineModel } from "../model.ts";

export interface CounterOptions {
  /** Default 0. */
  readonly start?: number;
  /** It never falls below. Default: the smallest whole number. */
  readonly least?: number;
  /** It never rises above. Default: the largest whole number. */
  readonly most?: number;
}

export interface CounterState {
  readonly value: number;
  /** Who changed it last (`null`: the application itself), and when. */
  readonly changed?: readonly [by: string | null, at: number];
}

export type CounterReason =
  /** It would be below `least` or above `most`. */
  | { readonly code: "out-of-bounds"; readonly value: number; readonly least: number; readonly most: number }
  | ConflictReason;

const Whole = v.pipe(v.number(), v.safeInteger());

/**
 * A whole number to count with, within bounds. `add` counts up or down, `reset` goes back to the start, or to another number.
 *
 * @throws RangeError on bounds that leave no room for the start
 */
export function counter({
  start = 0,
  least = Number.MIN_SAFE_INTEGER,
  most = Number.MAX_SAFE_INTEGER,
}: CounterOptions = {}) {
  if (![start, least, most].every(Number.isSafeInteger) || start < least || start > most) {
    throw new RangeError("a counter's bounds are whole numbers, with its start between them");
  }
  const outside = (value: number) => value < least || value > most;
  return defineModel({
    name: "counter",
    reasons: reasons<CounterReason>(),
    initial: (): CounterState => ({ value: start }),
    events: {
      added: (state, { by }: { by: number }, { author, time }): CounterState => ({
        value: state.value + by,
        changed: [author ?? null, time],
      }),
      reset: (_, { to }: { to: number }, { author, time }): CounterState => ({
        value: to,
        changed: [author ?? null, time],
      }),
    },
    commands: {
      add: {
        input: v.strictObject({ by: v.optional(Whole, 1) }),
        decide: ({ value }, { by }) => {
          if (outside(value + by)) return reject("out-of-bounds", { value, least, most });
          return by === 0 ? [] : [{ type: "added", data: { by } }];
        },
        inverse: (_, { by }) => ({ command: "add", input: { by: -by } }),
      },
      reset: {
        /** `from`: refuse where it is another number by now. */
        input: v.strictObject({ to: v.optional(Whole, start), from: v.optional(Whole) }),
        decide: (state, { to, from }) => {
          if (from !== undefined && from !== state.value) return new Rejection(conflict(state, to));
          if (outside(to)) return reject("out-of-bounds", { value: state.value, least, most });
          return to === state.value ? [] : [{ type: "reset", data: { to } }];
        },
        inverse: ({ value }, { to }) => ({ command: "reset", input: { to: value, from: to } }),
      },
    },
    touches: () => ["value"],
  });
}

function conflict({ value, changed: [by, at] = [null, 0] }: CounterState, mine: number): ConflictReason {
  const restore = { command: "reset", input: { to: mine, from: value } };
  return { code: "conflict", path: ["value"], mine, theirs: value, ...(by !== null && { by }), at, restore };
}
