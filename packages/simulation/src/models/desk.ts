import { channel } from "@tandem/app";
import type { AnyModel, ModelEvent } from "@tandem/model";
import { chat, counter, lock, records, upcastEvent, vote } from "@tandem/model";
import { channelType } from "@tandem/protocol";
import type { Fact } from "../ledger.ts";
import { BENCH_MODELS, jobLock, textModels, workshopModels } from "./bench.ts";
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
const officeModels = {
  votes: vote({ open: 6, keep: 4 }),
  locks: lock({ ttl: 3_000, longest: LONGEST_TTL, most: 3, queue: 3 }),
  board,
  talk: chat({ reactions: 3 }),
  count: counter(COUNT),
  purse,
};

export type OfficeModel = keyof typeof officeModels;

export const OFFICE_MODELS = Object.keys(officeModels) as OfficeModel[];

/** All models that channels have, by their names: no two kinds of channels name another model the same. */
export const models = { ...officeModels, ...workshopModels, ...textModels };

export type DeskModel = keyof typeof models;

export const MODELS = Object.keys(models) as DeskModel[];

export function modelNamed(name: string): AnyModel | undefined {
  return Object.hasOwn(models, name) ? models[name as DeskModel] : undefined;
}

type Asking = { readonly event: string; readonly data: unknown } | { readonly model: string; readonly input: unknown };

/** The lock that a write at a desk takes. */
export function protect(write: Asking): string | undefined {
  if ("event" in write) return write.event === "memo" ? "locks/draft" : undefined;
  const { collection } = (write.input ?? {}) as { readonly collection?: unknown };
  return write.model === "board" && collection === "plan" ? "locks/plan" : undefined;
}

/** …and at a bench. */
function protectWork(write: Asking): string | undefined {
  return "event" in write && write.event === "memo" ? jobLock(write.data) : undefined;
}

/** The types of channels with models, each with one that keeps few events, so that what it holds is held by snapshots; and texts. */
const TYPES = {
  desk: OFFICE_MODELS,
  drawer: OFFICE_MODELS,
  bench: BENCH_MODELS,
  shelf: BENCH_MODELS,
  text: ["stream"],
} as const satisfies Record<string, readonly DeskModel[]>;

export const DESKS = Object.keys(TYPES) as (keyof typeof TYPES)[];

/** The models of a channel, by its name. */
export function modelsOf(channel: string): readonly DeskModel[] {
  const type = channelType(channel);
  return Object.hasOwn(TYPES, type) ? TYPES[type as keyof typeof TYPES] : [];
}

/** The lock that a write in a channel takes. */
export function lockFor(channel: string, write: Asking): string | undefined {
  const isWork = modelsOf(channel) === BENCH_MODELS;
  return isWork ? protectWork(write) : protect(write);
}

/** @param older before the models have their present version */
export function deskTypes<E extends Parameters<typeof channel>[0]["events"]>(events: E, older: boolean) {
  const office = { ...officeModels, ...(older && { purse: olderPurse }) };
  const few = { count: DRAWER_COUNT };
  return {
    desk: channel({ events, models: office, protect }),
    drawer: channel({ events, models: office, protect, retention: few }),
    bench: channel({ events, models: workshopModels, protect: protectWork }),
    shelf: channel({ events, models: workshopModels, protect: protectWork, retention: few }),
    text: channel({ events, models: textModels }),
  };
}

/** Has a channel, by its name, models? */
export function isDesk(name: string): boolean {
  return modelsOf(name).length > 0;
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
