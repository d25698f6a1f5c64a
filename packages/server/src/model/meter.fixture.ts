import { defineModel, reasons, reject, Table, UNPREDICTABLE } from "@tandem/model";
import * as v from "valibot";

export interface Meter {
  readonly value: number;
  /** When it falls back to 0. */
  readonly until: number | undefined;
  /** The newest token of its only lock. */
  readonly token: number;
  /** What was hidden, by name: sealed. */
  readonly hidden: Readonly<Record<string, { readonly by: string; readonly sealed: string }>>;
  readonly shown: Readonly<Record<string, number>>;
  /** Who may see what each user noted. */
  readonly notes: Table<{ readonly by: string; readonly text: string }>;
}

/** A model with something of everything, for tests. */
export const meter = defineModel({
  name: "meter",
  version: 2,
  upcasters: { 1: { commands: { add: (by) => ({ by }) }, events: { added: (by) => ({ by }) } } },
  reasons: reasons<{ code: "full"; room: number } | { code: "nothing-hidden" }>(),
  initial: (): Meter => ({ value: 0, until: undefined, token: 0, hidden: {}, shown: {}, notes: Table.empty() }),
  events: {
    added: (state, { by }: { by: number }) => ({ ...state, value: state.value + by }),
    lit: (state, { until }: { until: number }) => ({ ...state, until }),
    faded: (state, _: Record<never, never>) => ({ ...state, value: 0, until: undefined }),
    locked: (state, { token }: { token: number }) => ({ ...state, token }),
    hid: (state, { name, sealed }: { name: string; sealed: string }, { author = "" }) => ({
      ...state,
      hidden: { ...state.hidden, [name]: { by: author, sealed } },
    }),
    showed: (state, { name, value }: { name: string; value: number }) => ({
      ...state,
      shown: { ...state.shown, [name]: value },
    }),
    noted: (state, { id, text }: { id: string; text: string }, { author = "" }) => ({
      ...state,
      notes: state.notes.set(id, { by: author, text }),
    }),
    broke: (state, _: Record<never, never>) => state,
  },
  commands: {
    add: {
      input: v.object({ by: v.pipe(v.number(), v.integer()) }),
      decide: (state, { by }) => {
        if (by === 0) return [];
        if (state.value + by > 100) return reject("full", { room: 100 - state.value });
        return [{ type: "added", data: { by } }];
      },
    },
    twice: {
      input: v.object({ by: v.number() }),
      decide: (_, { by }) => [
        { type: "added", data: { by } },
        { type: "added", data: { by } },
      ],
    },
    light: {
      input: v.object({ ms: v.number() }),
      decide: (_, { ms }, { time }) => [{ type: "lit", data: { until: time + ms } }],
    },
    lock: {
      input: v.object({}),
      decide: ({ token }) => [{ type: "locked", data: { token: token + 1 } }],
    },
    hide: {
      input: v.object({ name: v.string(), value: v.number() }),
      secret: true,
      decide: (_, { name, value }, { sealing }) => {
        if (!sealing) return UNPREDICTABLE;
        sealing.create(name);
        return [{ type: "hid", data: { name, sealed: sealing.seal(name, value, 16) } }];
      },
    },
    show: {
      input: v.object({ name: v.string() }),
      decide: (state, { name }, { sealing }) => {
        if (!sealing) return UNPREDICTABLE;
        const sealed = state.hidden[name]?.sealed;
        const value = sealed === undefined ? undefined : sealing.open(name, sealed);
        if (typeof value !== "number") return reject("nothing-hidden");
        sealing.destroy(name);
        return [{ type: "showed", data: { name, value } }];
      },
    },
    note: {
      input: v.object({ text: v.string() }),
      decide: (_, { text }, { id }) => [{ type: "noted", data: { id: id(), text } }],
    },
    fail: {
      input: v.object({ how: v.picklist(["throw", "long", "many", "promise"]) }),
      decide: (_, { how }) => {
        if (how === "long") return [{ type: "noted", data: { id: "x", text: "x".repeat(40_000) } }];
        if (how === "many") return Array.from({ length: 1_100 }, () => ({ type: "added" as const, data: { by: 1 } }));
        if (how === "promise") return Promise.resolve([]) as never;
        throw new Error("decide failed");
      },
    },
    erase: { input: v.object({}), right: "admin", decide: () => [{ type: "faded", data: {} }] },
  },
  view: (state, { user }) => ({
    ...state,
    notes: Table.of([...state.notes].filter(([, { by }]) => by === user)),
  }),
  visible: ({ type, info }, { user }) => type !== "noted" || info.author === user,
  deadline: ({ until }) => until,
  onDeadline: () => [{ type: "faded", data: {} }],
  fence: ({ type, data }) =>
    type === "locked" ? { name: "only", token: (data as { token: number }).token } : undefined,
});
