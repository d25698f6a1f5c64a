import * as v from "valibot";
import { checkBounds } from "../bounds.ts";
import type { ConflictReason } from "../conflict.ts";
import { reasons, reject } from "../decision.ts";
import { defineModel } from "../model.ts";
import { equal } from "../records/entry.ts";
import { appended, changed, emptySequence } from "../sequence.ts";
import { Table } from "../table.ts";
import type { ChatState, Message } from "./message.ts";
import { byOf, reactionsTo, saysSomething, withReaction } from "./message.ts";

export interface ChatOptions {
  /** Messages that the state keeps, the newest; the channel's history keeps them all. Default 500. */
  readonly keep?: number;
  /** Longest message that a user writes, in letters. Default 8,000. What streamed from the application may be as long as an event. */
  readonly longest?: number;
  /** Most kinds of reactions to one message. Default 20. */
  readonly reactions?: number;
  /** Most reactions to one message, of all kinds and users together. Default 1,000. */
  readonly reactors?: number;
  /** Most users whose place of reading is kept. Default 2,000. */
  readonly readers?: number;
}

type ChatReason =
  /** There is one of this id already: its maker used a command's nonce again. */
  | { readonly code: "exists" }
  | { readonly code: "unknown-message" }
  | { readonly code: "not-yours" }
  | { readonly code: "deleted" }
  | { readonly code: "streaming" }
  | { readonly code: "too-long"; readonly most: number }
  /** Neither text nor anything else. */
  | { readonly code: "empty" }
  | { readonly code: "too-many-reactions"; readonly most: number }
  | { readonly code: "too-many-readers"; readonly most: number }
  /** Only users read. */
  | { readonly code: "nobody" }
  | ConflictReason;

interface Sent {
  readonly id: string;
  readonly text: string;
  readonly extra?: unknown;
  readonly replyTo?: string;
  readonly mentions?: readonly string[];
  readonly stream?: string;
}

interface Edited {
  readonly id: string;
  readonly text: string;
  readonly extra?: unknown;
  readonly mentions?: readonly string[];
}

interface Finished {
  readonly id: string;
  readonly text: string;
  readonly extra?: unknown;
  readonly aborted?: string;
}

/** Most users who are mentioned in one message. */
const MENTIONS = 50;

const Id = v.pipe(v.string(), v.minLength(1), v.maxLength(64));
const User = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
const Reaction = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(32),
  v.regex(/^[^\s"\\_]+$/u, "a reaction is one word or sign"),
);

/** What goes with a chat as a signal: that somebody is writing. */
export const typing = v.boolean();

/**
 * A chat: messages that can be edited, deleted (a tombstone stays), answered and reacted to, mentions, how far everybody has read, and messages that stream in
 * while they are being written. That somebody types is a signal: `signals: { typing }`. Who wrote a message edits, finishes and removes it; admins do so with any.
 *
 * @example
 * channel({ events: {}, models: { chat: chat() }, signals: { typing } })
 * @throws RangeError on a bound that cannot be
 */
export function chat({
  keep = 500,
  longest = 8_000,
  reactions: kinds = 20,
  reactors = 1_000,
  readers = 2_000,
}: ChatOptions = {}) {
  checkBounds({ keep, longest, reactions: kinds, reactors, readers });
  const Text = v.pipe(v.string(), v.maxLength(longest));
  const Mentions = v.pipe(v.array(User), v.maxLength(MENTIONS));
  const Draft = {
    extra: v.optional(v.unknown()),
    replyTo: v.optional(Id),
    mentions: v.optional(Mentions, []),
  };
  return defineModel({
    name: "chat",
    initial: (): ChatState => ({ ...emptySequence<Message>(), readings: Table.empty() }),
    reasons: reasons<ChatReason>(),
    events: {
      sent: (state, { id, mentions = [], ...rest }: Sent, { author, time }): ChatState => {
        const by = author === undefined ? {} : { by: author };
        const message = { id, ...by, at: time, ...rest, mentions, reactions: {} };
        return { ...state, ...appended<Message>(state, id, message, keep) };
      },
      edited: (state, { id, ...edited }: Edited, { author, time }) =>
        changed(state, id, ({ editedBy: _, ...message }) => ({
          ...message,
          ...edited,
          editedAt: time,
          ...(author === message.by ? {} : { editedBy: author ?? "" }),
        })),
      finished: (state, { id, ...finished }: Finished) =>
        changed(state, id, ({ stream: _, ...message }) => ({ ...message, ...finished })),
      deleted: (state, { id }: { id: string }, { author, time }) =>
        changed(state, id, ({ extra: _, stream: __, ...message }) => ({
          ...message,
          text: "",
          mentions: [],
          reactions: {},
          deletedAt: time,
          ...(author === message.by ? {} : { deletedBy: author ?? "" }),
        })),
      reacted: (state, { id, reaction, on }: { id: string; reaction: string; on: boolean }, { author = "" }) =>
        changed(state, id, (message) => ({
          ...message,
          reactions: withReaction(message.reactions, reaction, author, on),
        })),
      read: (state, { n }: { n: number }, { author = "", time }): ChatState => ({
        ...state,
        readings: state.readings.set(author, { n, at: time }),
      }),
    },
    commands: {
      send: {
        /** A message without a text has something else (`extra`): an image. */
        input: v.pipe(
          v.strictObject({ text: Text, ...Draft }),
          v.check((draft) => saysSomething(draft), "a text, or something else"),
        ),
        decide: (state, input, { id }) => sent(state, { id: id(), ...input }),
      },
      /** Begins a message whose text comes from a stream. Its author ends it with `finish`. */
      begin: {
        input: v.strictObject({ stream: v.pipe(v.string(), v.minLength(1), v.maxLength(256)), ...Draft }),
        decide: (state, input, { id }) => sent(state, { id: id(), text: "", ...input }),
      },
      /** The whole text of a message that streamed. `aborted`: why it is not whole. */
      finish: {
        input: v.strictObject({
          id: Id,
          text: v.string(),
          extra: v.optional(v.unknown()),
          aborted: v.optional(v.pipe(v.string(), v.maxLength(500))),
        }),
        decide: (state, input, { user, admin }) => {
          const message = state.items.get(input.id);
          if (!message) return reject("unknown-message");
          if (message.by !== user && !admin) return reject("not-yours");
          if (message.stream === undefined) return [];
          if (input.text.length > longest && !admin) return reject("too-long", { most: longest });
          return [{ type: "finished", data: input }];
        },
      },
      /** `was`, `base`: what is being changed, as its editor saw it. Another one by now is a conflict. What is left out stays as it is. */
      edit: {
        input: v.strictObject({
          id: Id,
          text: v.string(),
          extra: v.optional(v.unknown()),
          mentions: v.optional(Mentions),
          was: v.optional(v.string()),
          base: v.optional(v.strictObject({ extra: v.optional(v.unknown()), mentions: v.optional(Mentions) })),
        }),
        decide: (state, { was, base = {}, ...input }, { user, admin }) => {
          const message = state.items.get(input.id);
          if (!message) return reject("unknown-message");
          if (message.by !== user && !admin) return reject("not-yours");
          if (message.deletedAt !== undefined) return reject("deleted");
          if (message.stream !== undefined) return reject("streaming");
          if (input.text.length > Math.max(longest, message.text.length) && !admin)
            return reject("too-long", { most: longest });
          const seen = { ...base, text: was };
          for (const field of ["text", "extra", "mentions"] as const) {
            const theirs = message[field] ?? null;
            if (seen[field] === undefined || equal(seen[field], theirs)) continue;
            return reject("conflict", {
              path: ["items", input.id, field],
              mine: input[field] ?? null,
              theirs,
              ...byOf(message),
              at: message.editedAt ?? message.at,
              restore: { command: "edit", input: { ...input, was: message.text } },
            });
          }
          if (!saysSomething({ text: input.text, extra: input.extra === undefined ? message.extra : input.extra }))
            return reject("empty");
          const isSame = message.text === input.text && input.extra === undefined && input.mentions === undefined;
          return isSame ? [] : [{ type: "edited", data: input }];
        },
        inverse: (before, { id, text, extra, mentions }) => {
          const message = before.items.get(id);
          if (!message) return undefined;
          const back = {
            ...(extra === undefined ? {} : { extra: message.extra ?? null }),
            ...(mentions === undefined ? {} : { mentions: message.mentions }),
          };
          const base = { ...(extra === undefined ? {} : { extra }), ...(mentions === undefined ? {} : { mentions }) };
          return { command: "edit", input: { id, text: message.text, was: text, ...back, base } };
        },
      },
      remove: {
        input: v.strictObject({ id: Id }),
        decide: (state, { id }, { user, admin }) => {
          const message = state.items.get(id);
          if (!message) return reject("unknown-message");
          if (message.by !== user && !admin) return reject("not-yours");
          return message.deletedAt === undefined ? [{ type: "deleted", data: { id } }] : [];
        },
      },
      react: {
        input: v.strictObject({ id: Id, reaction: Reaction, on: v.optional(v.boolean(), true) }),
        decide: (state, { id, reaction, on }, { user = "" }) => {
          const message = state.items.get(id);
          if (!message) return reject("unknown-message");
          if (message.deletedAt !== undefined) return reject("deleted");
          const known = Object.hasOwn(message.reactions, reaction);
          const has = known && message.reactions[reaction]?.includes(user) === true;
          if (has === on) return [];
          if (on && !known && Object.keys(message.reactions).length >= kinds) {
            return reject("too-many-reactions", { most: kinds });
          }
          if (on && reactionsTo(message) >= reactors) return reject("too-many-reactions", { most: reactors });
          return [{ type: "reacted", data: { id, reaction, on } }];
        },
        inverse: (_, { id, reaction, on }) => ({ command: "react", input: { id, reaction, on: !on } }),
      },
      /** This user has read up to a message. It never goes back. */
      read: {
        input: v.strictObject({ id: Id }),
        right: "read",
        decide: (state, { id }, { user }) => {
          if (user === undefined) return reject("nobody");
          const message = state.items.get(id);
          if (!message) return reject("unknown-message");
          const before = state.readings.get(user);
          if (before && before.n >= message.n) return [];
          if (!before && state.readings.size >= readers) return reject("too-many-readers", { most: readers });
          return [{ type: "read", data: { n: message.n } }];
        },
      },
    },
    touches: ({ data }) => ("id" in data ? [`items/${data.id}`] : []),
  });
}

function sent({ items }: ChatState, message: Sent) {
  return items.has(message.id) ? reject("exists") : [{ type: "sent" as const, data: message }];
}
