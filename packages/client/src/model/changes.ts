import type { AnyModel, ModelEvent } from "@tandem/model";
import { upcastEvent } from "@tandem/model";
import type { ChannelEvent } from "@tandem/protocol";
import type { HistoryPage } from "../event.ts";
import type { HistoryQuery } from "../subscription/history.ts";
import { modelEvent } from "./live-model.ts";

/** Changes of a page, where the application names no number. */
const PAGE = 50;
/** Pages of the channel's history that are looked through at a time. */
const PAGES = 10;
/** Events of each of them. */
const EVENTS = 100;

export interface ChangesQuery {
  /** Only what touched this, or something in it: `items/42` (by the model's `touches`). Default: everything. */
  readonly path?: string | undefined;
  /** Most changes, default 50. Fewer come where the channel's history has to be looked through far: go on with `next`. */
  readonly limit?: number | undefined;
  /** Changes before this offset. Default: the newest. */
  readonly before?: number | undefined;
}

/** One event of a model: who changed what, when. */
export interface Change {
  readonly offset: number;
  readonly id: string;
  /** Its name among the model's events. */
  readonly type: string;
  /** In the form of the model's present version; null where it was erased. */
  readonly data: unknown;
  /** The user whose command it was; `undefined`: the application itself, or a deadline. */
  readonly by: string | undefined;
  /** Milliseconds since 1970 by the server. */
  readonly at: number;
  readonly touches: readonly string[];
}

export interface ChangesPage {
  /** In order of offset. */
  readonly changes: readonly Change[];
  /** The `before` of the page before this one; left out when there is none. */
  readonly next: number | undefined;
}

/** Looks a model's changes up in the history of its channel, from the newest on. */
export async function changesOf(
  history: (query: HistoryQuery) => Promise<HistoryPage<ChannelEvent>>,
  name: string,
  model: AnyModel,
  { path, limit = PAGE, before }: ChangesQuery,
): Promise<ChangesPage> {
  const prefix = `${name}.`;
  let next = before;
  let changes: Change[] = [];
  for (let pages = 0; pages < PAGES; pages++) {
    const page = await history({ before: next, limit: EVENTS });
    const found = page.events
      .filter(({ type }) => type.startsWith(prefix))
      .map((event) => changeOf(model, modelEvent(event, prefix.length)))
      .filter(({ touches }) => path === undefined || touches.some((touched) => isIn(touched, path)));
    changes = [...found, ...changes];
    next = page.next;
    if (changes.length >= limit || next === undefined) break;
  }
  if (changes.length > limit) {
    changes = changes.slice(-limit);
    next = changes[0]?.offset;
  }
  return { changes, next };
}

function changeOf(model: AnyModel, event: ModelEvent): Change {
  const { type, info } = event;
  const known = event.data !== null && event.version <= model.version && Object.hasOwn(model.events, type);
  const data = known ? upcastEvent(model, event) : event.data;
  const touches = known ? model.touches({ type, data }) : [];
  return { offset: event.offset ?? 0, id: info.id, type, data, by: info.author, at: info.time, touches };
}

function isIn(touched: string, path: string): boolean {
  return touched === path || touched.startsWith(`${path}/`);
}
