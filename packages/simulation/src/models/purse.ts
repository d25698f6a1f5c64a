import type { ModelUpcaster, ModelViewer } from "@tandem/model";
import { defineModel, reasons, reject, Table, UNPREDICTABLE } from "@tandem/model";
import type { Draft } from "./drafts.ts";
import { schema, text, whole } from "./schema.ts";

/** Most that a purse holds. */
export const PURSE_MOST = 40;

/** Bytes that a hidden value may take. */
const HIDDEN_BYTES = 64;

interface Hidden {
  readonly by: string;
  readonly until: number;
  /** Until it is revealed. */
  readonly sealed?: string;
  /** From then on. */
  readonly value?: string;
}

export interface PurseState {
  readonly total: number;
  /** Whispers, also those that a viewer does not know. */
  readonly whispers: number;
  /** What was put in and taken out, in order: keyed by number, so that what counts twice is shown twice. */
  readonly entries: Table<{ readonly label: string; readonly by: string; readonly amount: number }>;
  /** What was said, in the same way. Nothing takes it away. */
  readonly said: Table<{ readonly label: string; readonly by: string }>;
  readonly whispered: Table<{ readonly by: string; readonly to: string; readonly text: string }>;
  readonly hidden: Table<Hidden>;
}

type PurseEvents = {
  put: { readonly label: string; readonly amount: number };
  taken: { readonly label: string; readonly amount: number };
  said: { readonly label: string };
  whispered: { readonly label: string; readonly to: string; readonly text: string };
  counted: { readonly label: string };
  hidden: { readonly label: string; readonly sealed: string; readonly until: number };
  revealed: { readonly label: string; readonly value: string };
};

type PurseReason = { readonly code: "full"; readonly total: number } | { readonly code: "empty" | "exists" };

/** What an older edition of the model wrote, and was sent: it said `sum`, and put all at once. */
const OLDER: ModelUpcaster = {
  commands: {
    put: (input) => {
      const { sum, ...rest } = input as { label: string; sum: number };
      return { ...rest, amount: sum, parts: 1 };
    },
  },
  events: {
    put: (data) => {
      const { sum, ...rest } = data as { label: string; sum: number };
      return { ...rest, amount: sum };
    },
  },
  state: (state) => {
    const { sum, ...rest } = state as { sum: number };
    return { total: sum, ...rest };
  },
};

/** Whose eyes a whisper is for. */
function hears({ user }: ModelViewer, by: string | undefined, to: string): boolean {
  return user === undefined || user === by || user === to;
}

const Label = { label: text };

/**
 * A model of the simulation's own, with what the others have in part only: bounds, deadlines, secrets, views that hide, several events a
 * command of which a viewer has some, commands that change nothing, and an older version.
 */
export const purse = defineModel({
  name: "purse",
  version: 2,
  upcasters: { 1: OLDER },
  reasons: reasons<PurseReason>(),
  initial: (): PurseState => ({
    total: 0,
    whispers: 0,
    entries: Table.empty(),
    said: Table.empty(),
    whispered: Table.empty(),
    hidden: Table.empty(),
  }),
  events: {
    put: (state, { label, amount }: PurseEvents["put"], { author = "" }): PurseState => ({
      ...state,
      total: state.total + amount,
      entries: state.entries.set(String(state.entries.size), { label, by: author, amount }),
    }),
    taken: (state, { label, amount }: PurseEvents["taken"], { author = "" }): PurseState => ({
      ...state,
      total: state.total - amount,
      entries: state.entries.set(String(state.entries.size), { label, by: author, amount: -amount }),
    }),
    said: (state, { label }: PurseEvents["said"], { author = "" }): PurseState => ({
      ...state,
      said: state.said.set(String(state.said.size), { label, by: author }),
    }),
    whispered: (state, { label, to, text: words }: PurseEvents["whispered"], { author = "" }): PurseState => ({
      ...state,
      whispered: state.whispered.set(label, { by: author, to, text: words }),
    }),
    counted: (state, _: PurseEvents["counted"]): PurseState => ({ ...state, whispers: state.whispers + 1 }),
    hidden: (state, { label, sealed, until }: PurseEvents["hidden"], { author = "" }): PurseState => ({
      ...state,
      hidden: state.hidden.set(label, { by: author, until, sealed }),
    }),
    revealed: (state, { label, value }: PurseEvents["revealed"]): PurseState => ({
      ...state,
      hidden: state.hidden.update(label, (before) => before && { by: before.by, until: before.until, value }),
    }),
  },
  commands: {
    put: {
      input: schema<{ label: string; amount: number; parts: number }>({ ...Label, amount: whole, parts: whole }),
      decide: ({ total }, { label, amount, parts }) => {
        if (total + amount * parts > PURSE_MOST) return reject("full", { total });
        return Array.from({ length: parts }, () => ({ type: "put" as const, data: { label, amount } }));
      },
      inverse: (_, { label, amount, parts }) => ({ command: "take", input: { label, amount: amount * parts } }),
    },
    take: {
      input: schema<{ label: string; amount: number }>({ ...Label, amount: whole }),
      decide: ({ total }, { label, amount }) =>
        total < amount ? reject("empty") : [{ type: "taken", data: { label, amount } }],
    },
    say: {
      input: schema<{ label: string }>(Label),
      decide: (_, { label }) => [{ type: "said", data: { label } }],
    },
    /** Two events, of which others have one; which of them comes first is the caller's to say. */
    whisper: {
      input: schema<{ label: string; to: string; text: string; first: number }>({
        ...Label,
        to: text,
        text,
        first: whole,
      }),
      decide: (_, { label, to, text: words, first }) => {
        const whispered = { type: "whispered" as const, data: { label, to, text: words } };
        const counted = { type: "counted" as const, data: { label } };
        return first === 0 ? [whispered, counted] : [counted, whispered];
      },
    },
    nothing: { input: schema<{ label: string }>(Label), decide: () => [] },
    hide: {
      secret: true,
      input: schema<{ label: string; value: string; ms: number }>({ ...Label, value: text, ms: whole }),
      decide: (state, { label, value, ms }, { sealing, time }) => {
        if (state.hidden.has(label)) return reject("exists");
        if (!sealing) return UNPREDICTABLE;
        sealing.create(label);
        const sealed = sealing.seal(label, value, HIDDEN_BYTES);
        return [{ type: "hidden", data: { label, sealed, until: time + ms } }];
      },
    },
  },
  view: (state, viewer) => {
    const heard = [...state.whispered].filter(([, { by, to }]) => hears(viewer, by, to));
    return { ...state, whispered: Table.of(heard) };
  },
  visible: (event, viewer) => event.type !== "whispered" || hears(viewer, event.info.author, event.data.to),
  deadline: ({ hidden }) => {
    const due = [...hidden.values()].flatMap(({ value, until }) => (value === undefined ? until : []));
    return due.length > 0 ? Math.min(...due) : undefined;
  },
  onDeadline: ({ hidden }, { time, sealing }) =>
    [...hidden].flatMap(([label, { sealed, until, value }]) => {
      if (value !== undefined || sealed === undefined || until > time) return [];
      const opened = String(sealing?.open(label, sealed));
      sealing?.destroy(label);
      return [{ type: "revealed" as const, data: { label, value: opened } }];
    }),
  touches: ({ data }) => [data.label],
});

type Older = Omit<PurseState, "total"> & { readonly sum: number };

/** The same model as it was before: what it makes, the newer one has to understand. */
export const olderPurse = { ...purse, version: 1, upcasters: {}, ...older() } as unknown as typeof purse;

function older() {
  const asNew = ({ sum, ...rest }: Older): PurseState => ({ total: sum, ...rest });
  const asOld = ({ total, ...rest }: PurseState): Older => ({ sum: total, ...rest });
  const events = Object.entries(purse.events).map(([name, step]) => [
    name,
    (state: Older, data: Record<string, unknown>, info: never) =>
      asOld(step(asNew(state), (name === "put" ? OLDER.events?.put?.(data) : data) as never, info)),
  ]);
  const commands = Object.entries(purse.commands).map(([name, command]) => [
    name,
    {
      ...command,
      ...(name === "put" && {
        input: schema<{ label: string; sum: number }>({ ...Label, sum: whole }),
        inverse: undefined,
      }),
      decide: (state: Older, input: Record<string, unknown>, context: never) => {
        const asked = name === "put" ? OLDER.commands?.put?.(input) : input;
        const decided = command.decide(asNew(state), asked as never, context);
        if (name !== "put" || !Array.isArray(decided)) return decided;
        return decided.map(({ type, data }) => ({ type, data: { label: data.label, sum: data.amount } }));
      },
    },
  ]);
  return {
    initial: () => asOld(purse.initial()),
    events: Object.fromEntries(events),
    commands: Object.fromEntries(commands),
    view: (state: Older, viewer: ModelViewer) => asOld(purse.view(asNew(state), viewer)),
    deadline: (state: Older) => purse.deadline(asNew(state)),
    onDeadline: (state: Older, context: never) => purse.onDeadline(asNew(state), context),
  };
}

/** A state of any version as the present one has it. */
export function present(name: string, state: object): object {
  return name === "purse" && "sum" in state ? (OLDER.state?.(state) ?? state) : state;
}

/** A command as the older version takes it. */
export function olderDraft(made: Draft): Draft {
  if (made.command !== "put") return made;
  const { label, amount } = made.input as { label: string; amount: number };
  return { ...made, input: { label, sum: amount } };
}
