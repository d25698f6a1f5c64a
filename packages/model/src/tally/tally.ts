import * as v from "valibot";
import { reasons, reject } from "../decision.ts";
import { defineModel } from "../model.ts";
import { Table } from "../table.ts";

export interface TallyOptions {
  /** The names that are counted. Default: any, as they come. */
  readonly options?: readonly string[];
  /** Each user counts once, for one option: who counts for another is moved there. Default false. */
  readonly once?: boolean;
  /** Most names. Default 100, and no fewer than `options`. */
  readonly most?: number;
  /** With `once`: most users. Default 100,000. */
  readonly users?: number;
}

export interface TallyState {
  /** By option; one that nobody counts for is left out. */
  readonly counts: Table<number>;
  /** With `once`: each user's option. */
  readonly choices: Table<string>;
}

export type TallyReason =
  | { readonly code: "unknown-option"; readonly option: string }
  /** There are `most` names, or users, already. */
  | { readonly code: "full"; readonly most: number }
  /** With `once`: only users count. */
  | { readonly code: "nobody" }
  /** There is nothing to take away. */
  | { readonly code: "none"; readonly option: string };

const Option = v.strictObject({ option: v.pipe(v.string(), v.minLength(1), v.maxLength(64)) });

/**
 * Counts by name: likes, reactions, shows of hands. `add` counts one for an option, `remove` takes one away.
 *
 * @throws RangeError on a bound that cannot be
 */
export function tally({
  options,
  once = false,
  most = Math.max(100, options?.length ?? 0),
  users = 100_000,
}: TallyOptions = {}) {
  if (![most, users].every((bound) => Number.isSafeInteger(bound) && bound >= 1)) {
    throw new RangeError("most and users are whole numbers from 1");
  }
  const known = options && new Set(options);
  const plus = (counts: Table<number>, option: string, by: number) =>
    counts.update(option, (count = 0) => count + by || undefined);
  return defineModel({
    name: "tally",
    reasons: reasons<TallyReason>(),
    initial: (): TallyState => ({ counts: Table.empty(), choices: Table.empty() }),
    events: {
      added: (state, { option }: { option: string }) => ({ ...state, counts: plus(state.counts, option, 1) }),
      removed: (state, { option }: { option: string }) => ({ ...state, counts: plus(state.counts, option, -1) }),
      chosen: ({ counts, choices }, { user, option }: { user: string; option: string | null }) => {
        const before = choices.get(user);
        const left = before === undefined ? counts : plus(counts, before, -1);
        if (option === null) return { counts: left, choices: choices.delete(user) };
        return { counts: plus(left, option, 1), choices: choices.set(user, option) };
      },
    },
    commands: {
      add: {
        input: Option,
        decide: ({ counts, choices }, { option }, { user }) => {
          if (known && !known.has(option)) return reject("unknown-option", { option });
          const before = once && user !== undefined ? choices.get(user) : undefined;
          if (before === option) return [];
          const freed = before !== undefined && counts.get(before) === 1 ? 1 : 0;
          if (!counts.has(option) && counts.size - freed >= most) return reject("full", { most });
          if (!once) return [{ type: "added", data: { option } }];
          if (user === undefined) return reject("nobody");
          if (before === undefined && choices.size >= users) return reject("full", { most: users });
          return [{ type: "chosen", data: { user, option } }];
        },
        inverse: (before, { option }, [event]) => {
          if (!event) return undefined;
          const last = event.type === "chosen" ? before.choices.get(event.data.user) : undefined;
          return last === undefined
            ? { command: "remove", input: { option } }
            : { command: "add", input: { option: last } };
        },
      },
      remove: {
        input: Option,
        decide: ({ counts, choices }, { option }, { user }) => {
          if (once && user === undefined) return reject("nobody");
          const there = once ? user !== undefined && choices.get(user) === option : counts.has(option);
          if (!there) return reject("none", { option });
          return once && user !== undefined
            ? [{ type: "chosen", data: { user, option: null } }]
            : [{ type: "removed", data: { option } }];
        },
        inverse: (_, { option }) => ({ command: "add", input: { option } }),
      },
    },
  });
}
