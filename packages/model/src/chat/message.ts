import type { Sequence } from "../sequence.ts";
import type { Table } from "../table.ts";

export interface Message {
  readonly id: string;
  /** Counts up along the channel: the first message is 1. */
  readonly n: number;
  /** Left out: the application. */
  readonly by?: string;
  readonly at: number;
  /** Empty once it was deleted. (The channel's history has it still, until the event is erased there.) */
  readonly text: string;
  /** Markup, attachments: what the application wants. */
  readonly extra?: unknown;
  readonly replyTo?: string;
  readonly mentions: readonly string[];
  readonly editedAt?: number;
  /** Who edited it last, where that was not who wrote it; `""`: the application. */
  readonly editedBy?: string;
  readonly deletedAt?: number;
  /** Who deleted it, where that was not who wrote it; `""`: the application. */
  readonly deletedBy?: string;
  /** Who reacted, by reaction; `""`: the application. */
  readonly reactions: Readonly<Record<string, readonly string[]>>;
  /** The channel from which its text streams while it is being written. */
  readonly stream?: string;
  /** Its writer gave it up: `text` is what there was. */
  readonly aborted?: string;
}

/** How far a user has read. */
export interface Reading {
  /** The number of the newest message that they have read. */
  readonly n: number;
  readonly at: number;
}

export interface ChatState extends Sequence<Message> {
  /** By user. */
  readonly readings: Table<Reading>;
}

/** Is there anything in a message? */
export function saysSomething({ text, extra }: { readonly text: string; readonly extra?: unknown }): boolean {
  return text !== "" || (extra !== undefined && extra !== null);
}

/** Who its text is from. */
export function byOf({ by, editedBy = by }: Message): { readonly by?: string } {
  return editedBy === undefined || editedBy === "" ? {} : { by: editedBy };
}

/** How many reactions there are to a message, of all kinds and users. */
export function reactionsTo({ reactions }: Message): number {
  return Object.values(reactions).reduce((sum, users) => sum + users.length, 0);
}

/** The reactions to a message with or without one of a user's. */
export function withReaction(
  reactions: Message["reactions"],
  reaction: string,
  user: string,
  on: boolean,
): Message["reactions"] {
  const before = Object.hasOwn(reactions, reaction) ? reactions[reaction] : undefined;
  const others = before?.filter((other) => other !== user) ?? [];
  const next = on ? [...others, user] : others;
  const { [reaction]: _, ...rest } = reactions;
  return next.length > 0 ? { ...rest, [reaction]: next } : rest;
}

/** How many messages of others a user has not read, of those that are kept. */
export function unreadOf({ items, readings }: Pick<ChatState, "items" | "readings">, user: string): number {
  const read = readings.get(user)?.n ?? 0;
  let unread = 0;
  for (const { n, by, deletedAt } of items.values()) if (n > read && by !== user && deletedAt === undefined) unread++;
  return unread;
}
