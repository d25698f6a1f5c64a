import type { ConflictReason } from "@tandem/model";
import { defineModel, reasons, reject } from "@tandem/model";

interface Board {
  readonly tokens: readonly string[];
  readonly title: string;
  /** Whispers by who got them: everybody may have their own. */
  readonly whispers: Readonly<Record<string, number>>;
}

/** A schema of an object with these texts. */
function texts<F extends string = never>(...fields: F[]) {
  type Texts = { readonly [N in F]: string };
  return {
    "~standard": {
      version: 1,
      vendor: "fixture",
      validate: (value: unknown) => {
        const texts = value as Texts;
        return fields.every((field) => typeof texts[field] === "string")
          ? { value: texts }
          : { value, issues: [{ message: "not a text" }] };
      },
      types: undefined as { readonly input: Texts; readonly output: Texts } | undefined,
    },
  } as const;
}

/** A model with all that a client has to cope with: conflicts, empty decisions, events that not everybody may have. */
export const board = defineModel({
  name: "board",
  initial: (): Board => ({ tokens: [], title: "", whispers: {} }),
  reasons: reasons<{ code: "full" } | ConflictReason>(),
  events: {
    put: (state, data: { token: string }) => ({ ...state, tokens: [...state.tokens, data.token] }),
    took: (state, data: { token: string }) => ({
      ...state,
      tokens: state.tokens.filter((token) => token !== data.token),
    }),
    titled: (state, data: { title: string }) => ({ ...state, title: data.title }),
    whispered: (state, data: { to: string }) => ({
      ...state,
      whispers: { ...state.whispers, [data.to]: (state.whispers[data.to] ?? 0) + 1 },
    }),
  },
  commands: {
    put: {
      input: texts("token"),
      decide: ({ tokens }, { token }) => (tokens.length >= 1_000 ? reject("full") : [{ type: "put", data: { token } }]),
      inverse: (_, { token }) => ({ command: "take", input: { token } }),
    },
    take: {
      input: texts("token"),
      decide: ({ tokens }, { token }) => (tokens.includes(token) ? [{ type: "took", data: { token } }] : []),
      inverse: (_, { token }) => ({ command: "put", input: { token } }),
    },
    title: {
      input: texts("from", "to"),
      decide: ({ title }, { from, to }) => {
        if (title === from) return [{ type: "titled", data: { title: to } }];
        const restore = { command: "title", input: { from: title, to } };
        return reject("conflict", { path: ["title"], mine: to, theirs: title, by: "bob", at: 7, restore });
      },
      inverse: ({ title }, { to }) => ({ command: "title", input: { from: to, to: title } }),
    },
    /** Makes an event that only its addressee may have, and one for all. */
    announce: {
      input: texts("to", "token"),
      decide: (_, { to, token }) => [
        { type: "whispered", data: { to } },
        { type: "put", data: { token } },
      ],
    },
    whisper: { input: texts("to"), decide: (_, { to }) => [{ type: "whispered", data: { to } }] },
    /** The server decides otherwise than a client can tell. */
    guess: {
      input: texts("token"),
      decide: (_, { token }, { sealing }) => (sealing ? [] : [{ type: "put", data: { token } }]),
    },
    nothing: { input: texts(), decide: () => [] },
  },
  view: (state, { user = "" }) => {
    const own = state.whispers[user];
    return { ...state, whispers: own === undefined ? {} : { [user]: own } };
  },
  visible: (event, { user }) => event.type !== "whispered" || event.data.to === user,
  touches: (event) =>
    event.type === "titled" ? ["title"] : event.type === "whispered" ? [] : [`tokens/${event.data.token}`],
});

export type BoardState = Board;
