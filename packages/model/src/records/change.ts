import type { ConflictReason } from "../conflict.ts";
import type { Made } from "../decision.ts";
import { Rejection, reject } from "../decision.ts";
import type { Inverse } from "../model.ts";
import type { Collection, Issue } from "./collection.ts";
import { resolve, valueFor } from "./collection.ts";
import type { Entry, Fields } from "./entry.ts";
import { changeOf, equal, newestOf, own, patched } from "./entry.ts";

/** What happens to records. */
export type RecordEvents = {
  created: Placed;
  restored: Placed;
  patched: {
    readonly collection: string;
    readonly id: string;
    readonly fields: Fields;
    readonly clear: readonly string[];
  };
  removed: { readonly collection: string; readonly id: string };
  moved: { readonly collection: string; readonly id: string; readonly place: string };
  /** Records have new places in the same order. */
  spread: { readonly collection: string; readonly places: readonly (readonly [id: string, place: string])[] };
};

interface Placed {
  readonly collection: string;
  readonly id: string;
  readonly value: Fields;
  readonly place?: string;
}

/** Why a command on records is refused. */
export type RecordReason =
  | ConflictReason
  /** There is no such record. */
  | { readonly code: "missing"; readonly collection: string; readonly id: string }
  /** There is such a record already. */
  | { readonly code: "exists"; readonly collection: string; readonly id: string }
  /** The collection holds as many as it may. */
  | { readonly code: "full"; readonly collection: string; readonly most: number }
  /** The record's schema does not take it. */
  | { readonly code: "invalid"; readonly collection: string; readonly issues: readonly Issue[] }
  /** What the field was has to be told. */
  | { readonly code: "base-missing"; readonly collection: string; readonly field: string }
  /** The collection has no order. */
  | { readonly code: "unordered"; readonly collection: string }
  /** Nothing more fits there. */
  | { readonly code: "no-room"; readonly collection: string };

/** A change of a record's fields, as it was asked for. */
export interface Wanted {
  readonly collection: string;
  readonly id: string;
  readonly fields: Fields;
  readonly clear: readonly string[];
  readonly base: Fields | undefined;
  readonly strict: boolean;
}

/** What becomes of a change of fields, by the policies of the fields. All of it counts, or nothing. */
export function decidePatch(
  collection: Collection,
  entry: Entry,
  wanted: Wanted,
): readonly Made<RecordEvents>[] | Rejection<RecordReason> {
  const { collection: name, id, base, strict } = wanted;
  const cleared = new Set(wanted.clear);
  const names = [...Object.keys(wanted.fields).filter((field) => !cleared.has(field)), ...cleared];
  const fields: [string, unknown][] = [];
  const clear: string[] = [];
  let conflict: string | undefined;
  for (const field of names) {
    const policy = strict ? "refuse" : (collection.policies.get(field) ?? "last");
    if (policy !== "last" && base === undefined) {
      return reject("base-missing", { collection: name, field });
    }
    const mine = cleared.has(field) ? undefined : own(wanted.fields, field);
    const outcome = resolve(policy, own(base, field), mine, own(entry.value, field));
    if (outcome === "conflict") conflict ??= field;
    else if (outcome.value === undefined) clear.push(field);
    else fields.push([field, outcome.value]);
  }
  if (conflict !== undefined) return new Rejection(conflictOf(entry, wanted, conflict));
  const taken = valueFor(name, collection, patched(entry.value, Object.fromEntries(fields), clear));
  if ("issues" in taken) return reject("invalid", { collection: name, issues: taken.issues });
  const changed = names.filter((field) => !equal(own(taken.value, field), own(entry.value, field)));
  if (changed.length === 0) return [];
  const kept = changed.filter((field) => Object.hasOwn(taken.value, field));
  return [
    {
      type: "patched",
      data: {
        collection: name,
        id,
        fields: Object.fromEntries(kept.map((field) => [field, taken.value[field]])),
        clear: changed.filter((field) => !Object.hasOwn(taken.value, field)),
      },
    },
  ];
}

/** The fields in which a whole record differs from another. */
export function difference(
  value: Fields,
  from: Fields,
): { readonly fields: Fields; readonly clear: readonly string[] } {
  const fields = Object.entries(value).filter(([name, item]) => !equal(item, own(from, name)));
  return {
    fields: Object.fromEntries(fields),
    clear: Object.keys(from).filter((name) => !Object.hasOwn(value, name)),
  };
}

/** What takes a change of fields back: where they are still as it left them. */
export function inverseOf(before: Entry | undefined, made: readonly Made<RecordEvents>[]): Inverse | undefined {
  const event = made.find((one) => one.type === "patched");
  if (!before || !event) return undefined;
  const { collection, id, fields, clear } = event.data;
  const names = [...Object.keys(fields), ...clear];
  const had = names.filter((name) => Object.hasOwn(before.value, name));
  return {
    command: "patch",
    input: {
      collection,
      id,
      fields: Object.fromEntries(had.map((name) => [name, before.value[name]])),
      clear: names.filter((name) => !Object.hasOwn(before.value, name)),
      base: fields,
      strict: true,
    },
  };
}

/** A field is another than it was: what puts mine there nevertheless is the same change on what is there now. */
function conflictOf(entry: Entry, wanted: Wanted, field: string): ConflictReason {
  const { collection, id, fields, clear } = wanted;
  const [by, at] = changeOf(entry, field);
  const names = [...Object.keys(fields), ...clear].filter((name) => Object.hasOwn(entry.value, name));
  return {
    code: "conflict",
    path: [collection, id, field],
    mine: clear.includes(field) ? null : (own(fields, field) ?? null),
    theirs: own(entry.value, field) ?? null,
    ...(by !== null && { by }),
    at,
    restore: {
      command: "patch",
      input: {
        collection,
        id,
        fields,
        clear,
        base: Object.fromEntries(names.map((name) => [name, entry.value[name]])),
      },
    },
  };
}

/** A record is another than it was. */
export function conflictOn(
  entry: Entry,
  collection: string,
  mine: unknown,
  restore: ConflictReason["restore"],
): ConflictReason {
  const [by, at] = newestOf(entry);
  return {
    code: "conflict",
    path: [collection, entry.id],
    mine,
    theirs: entry.value,
    ...(by !== null && { by }),
    at,
    ...(restore && { restore }),
  };
}

/** A record stands elsewhere than it did. */
export function conflictOnPlace(
  entry: Entry,
  collection: string,
  to: { readonly after: string | null | undefined; readonly place: string | undefined },
): ConflictReason {
  const [by, at] = entry.moved ?? entry.made;
  const { after, place } = to;
  return {
    code: "conflict",
    path: [collection, entry.id, "place"],
    mine: place ?? after ?? null,
    theirs: entry.place ?? null,
    ...(by !== null && { by }),
    at,
    restore: {
      command: "move",
      input: { collection, id: entry.id, ...(after !== undefined && { after }), ...(place !== undefined && { place }) },
    },
  };
}
