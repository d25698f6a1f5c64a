import { channel } from "@tandem/app";
import type { AnyModel, ModelEvent } from "@tandem/model";
import { chat, counter, lock, records, upcastEvent, vote } from "@tandem/model";
import { channelType } from "@tandem/protocol";
import type { Fact } from "../ledger.ts";
import { olderPurse, purse } from "./purse.ts";
import { schema, text, whole } from "./schema.ts";

/** The bounds of the counter. */
export const COUNT = { start: 5, least: 0, most: 12 };

/** Longest time that a lock is held without being renewed. */
export const LONGEST_TTL = 8_000;

/** Events that a drawer keeps. */
const DRAWER_COUNT = 30;

const card = schema<{ label: string; title: string; votes: number }>({ label: text, title: text, votes: whole });

const board = records({
  collections: {
    cards: {
      schema: card,
      policies: { title: "refuse", votes: (base = 0, mine = 0, theirs = 0) => Math.max(0, theirs + mine - base) },
      order: true,
      most: 20,
    },
    plan: { schema: card },
  },
});

/** The models of every desk, by their names. */
export const models = {
  votes: vote({ open: 6, keep: 4 }),
  locks: lock({ ttl: 3_000, longest: LONGEST_TTL, most: 3, queue: 3 }),
  board,
  talk: chat({ reactions: 3 }),
  count: counter(COUNT),
  purse,
};

export type DeskModel = keyof typeof models;

export const MODELS = Object.keys(models) as DeskModel[];

export function modelNamed(name: string): AnyModel | undefined {
  return Object.hasOwn(models, name) ? models[name as DeskModel] : undefined;
}

/** The lock that a write takes. */
export function protect(
  write: { readonly event: string } | { readonly model: string; readonly input: unknown },
): string | undefined {
  if ("event" in write) return write.event === "memo" ? "locks/draft" : undefined;
  const { collection } = (write.input ?? {}) as { readonly collection?: unknown };
  return write.model === "board" && collection === "plan" ? "locks/plan" : undefined;
}

/** The types of channels with models: a desk, and one that keeps few events, so that what it holds is held by snapshots. */
export const DESKS = ["desk", "drawer"] as const;

/** @param older before the models have their present version */
export function deskTypes<E extends Parameters<typeof channel>[0]["events"]>(events: E, older: boolean) {
  const declared = { ...models, ...(older && { purse: olderPurse }) };
  return {
    desk: channel({ events, models: declared, protect }),
    drawer: channel({ events, models: declared, protect, retention: { count: DRAWER_COUNT } }),
  };
}

/** Has a channel, by its name, models? */
export function isDesk(name: string): boolean {
  return DESKS.some((type) => type === channelType(name));
}

/** An event of a model, as the log has it; `undefined` where it is none. */
export function modelEventOf({
  type,
  version,
  data,
  id,
  offset,
  author,
  time,
}: Fact): (ModelEvent & { name: DeskModel }) | undefined {
  const dot = type.indexOf(".");
  const name = type.slice(0, Math.max(0, dot));
  if (!modelNamed(name)) return undefined;
  const info = { id, author, time };
  return { name: name as DeskModel, type: type.slice(dot + 1), version, data: JSON.parse(data), offset, info };
}

/** May this user have the event, as its model says? */
export function deskShows(user: string, fact: Fact): boolean {
  const event = modelEventOf(fact);
  const model = event && modelNamed(event.name);
  if (!event || !model?.visible) return true;
  return model.visible({ type: event.type, data: upcastEvent(model, event), info: event.info }, { user });
}
