import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Made } from "../decision.ts";
import { Rejection, reasons, reject } from "../decision.ts";
import type { Inverse, ModelDefinition } from "../model.ts";
import { defineModel } from "../model.ts";
import { Table } from "../table.ts";
import type { RecordEvents, RecordReason } from "./change.ts";
import { conflictOn, conflictOnPlace, decidePatch, difference, inverseOf } from "./change.ts";
import type { Collection, CollectionInput, ValueOf } from "./collection.ts";
import { toCollection, valueFor } from "./collection.ts";
import type { Change, Entry, Fields } from "./entry.ts";
import { changeBy, equal, patched, withChanges } from "./entry.ts";
import type { Inputs } from "./input.ts";
import { inputsFor } from "./input.ts";
import type { Room } from "./order.ts";
import { isPlace, roomFor } from "./order.ts";
import { indexIn, ordered, reorder } from "./select.ts";

type Schemas = Readonly<Record<string, StandardSchemaV1>>;

/** The state of a model of records: a table for each collection. Read them with `all`, `ordered` and `where`. */
export type RecordsState<S extends Schemas> = { readonly [K in keyof S]: Table<Entry<ValueOf<S[K]>>> };

/** A model of records with these schemas, by collection. */
export type RecordsModel<S extends Schemas> = ModelDefinition<RecordsState<S>, Inputs<S>, RecordEvents, RecordReason>;

/** Collections of which nothing is known but that they hold records. */
type Any = Readonly<Record<string, StandardSchemaV1<Fields, Fields>>>;
type State = RecordsState<Any>;
type Decided = readonly Made<RecordEvents>[] | Rejection<RecordReason>;

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,29}$/;

/**
 * Records by schema: created, changed field by field, removed, brought back and moved, each by a command with an inverse. Where two users change one field, its
 * policy says what becomes of it.
 *
 * @example
 * const board = records({
 *   collections: {
 *     cards: {
 *       schema: v.object({ title: v.string(), votes: v.number() }),
 *       policies: { title: "refuse", votes: (base = 0, mine = 0, theirs = 0) => theirs + mine - base },
 *       order: true,
 *     },
 *   },
 * });
 * @throws RangeError on a collection's name or bound that cannot be, and on a schema that answers later
 */
export function records<S extends Schemas>(options: {
  readonly collections: { readonly [K in keyof S]: CollectionInput<S[K]> };
}): RecordsModel<S> {
  const collections = new Map<string, Collection>();
  for (const [name, input] of Object.entries(options.collections)) {
    if (!NAME.test(name)) {
      throw new RangeError(`"${name}" is not a collection's name: a letter, then letters, digits and _ - (30 at most)`);
    }
    collections.set(name, toCollection(name, input as CollectionInput<StandardSchemaV1>));
  }
  // What it is made of is the same whatever the schemas; their types are for those who use it.
  return modelOf(collections) as unknown as RecordsModel<S>;
}

function modelOf(collections: ReadonlyMap<string, Collection>): RecordsModel<Any> {
  const names = [...collections.keys()];
  const inputs = inputsFor<Any>(names);
  const on = (name: string): Collection => collections.get(name) as Collection;

  return defineModel({
    name: "records",
    reasons: reasons<RecordReason>(),
    initial: (): State => Object.fromEntries(names.map((name) => [name, Table.empty<Entry>()])),
    events: {
      created: (state, { collection, ...data }: RecordEvents["created"], event) =>
        changed(state, collection, data.id, () => entryOf(data, changeBy(event))),
      restored: (state, { collection, ...data }: RecordEvents["restored"], event) =>
        changed(state, collection, data.id, () => entryOf(data, changeBy(event))),
      patched: (state, { collection, id, fields, clear }: RecordEvents["patched"], event) =>
        changed(state, collection, id, (entry) => {
          if (!entry) return undefined;
          const change = changeBy(event);
          const changes = Object.fromEntries([...Object.keys(fields), ...clear].map((field) => [field, change]));
          const value = patched(entry.value, fields, clear);
          return { ...entry, value, changes: withChanges(entry.changes, changes, value) };
        }),
      removed: (state, { collection, id }: RecordEvents["removed"]) => changed(state, collection, id, () => undefined),
      moved: (state, { collection, id, place }: RecordEvents["moved"], event) =>
        changed(state, collection, id, (entry) => entry && { ...entry, place, moved: changeBy(event) }),
      spread: (state, { collection, places }: RecordEvents["spread"]) => {
        const before = state[collection];
        if (!before) return state;
        const [gone, come]: [Entry[], Entry[]] = [[], []];
        let table = before;
        for (const [id, place] of places) {
          const entry = before.get(id);
          if (!entry) continue;
          const moved = { ...entry, place };
          gone.push(entry);
          come.push(moved);
          table = table.set(id, moved);
        }
        reorder(before, table, gone, come);
        return { ...state, [collection]: table };
      },
    },
    commands: {
      create: {
        input: inputs.create,
        decide: (state, { collection, id, value, after }, context): Decided => {
          const chosen = id ?? context.id();
          if (entryIn(state, collection, chosen)) return reject("exists", { collection, id: chosen });
          return add(
            "created",
            state[collection] as Table<Entry>,
            on(collection),
            { collection, id: chosen, value },
            after,
          );
        },
        inverse: (_, { collection }, made) => removalOf(collection, made),
      },
      patch: {
        input: inputs.patch,
        decide: (state, { collection, id, fields = {}, clear = [], base, strict = false }): Decided => {
          const entry = entryIn(state, collection, id);
          if (!entry) return reject("missing", { collection, id });
          return decidePatch(on(collection), entry, { collection, id, fields, clear, base, strict });
        },
        inverse: (state, { collection, id }, made) => inverseOf(entryIn(state, collection, id), made),
      },
      set: {
        input: inputs.set,
        decide: (state, { collection, id, value, base }): Decided => {
          const entry = entryIn(state, collection, id);
          if (!entry) return reject("missing", { collection, id });
          const { fields, clear } = difference(value, base ?? entry.value);
          return decidePatch(on(collection), entry, { collection, id, fields, clear, base, strict: false });
        },
        inverse: (state, { collection, id }, made) => inverseOf(entryIn(state, collection, id), made),
      },
      remove: {
        input: inputs.remove,
        decide: (state, { collection, id, base }): Decided => {
          const entry = entryIn(state, collection, id);
          if (!entry) return reject("missing", { collection, id });
          if (base !== undefined && !equal(base, entry.value)) {
            const restore = { command: "remove", input: { collection, id } };
            return new Rejection(conflictOn(entry, collection, null, restore));
          }
          return [{ type: "removed", data: { collection, id } }];
        },
        inverse: (state, { collection, id }) => {
          const entry = entryIn(state, collection, id);
          if (!entry) return undefined;
          const { value, place } = entry;
          return { command: "restore", input: { collection, id, value, ...(place !== undefined && { place }) } };
        },
      },
      restore: {
        input: inputs.restore,
        decide: (state, { collection, id, value, place }): Decided => {
          const entry = entryIn(state, collection, id);
          if (entry) {
            const restore = { command: "set", input: { collection, id, value, base: entry.value } };
            return new Rejection(conflictOn(entry, collection, value, restore));
          }
          const at = place !== undefined && isPlace(place) ? { place } : undefined;
          return add("restored", state[collection] as Table<Entry>, on(collection), { collection, id, value }, at);
        },
        inverse: (_, { collection }, made) => removalOf(collection, made),
      },
      move: {
        input: inputs.move,
        decide: (state, { collection, id, after, place, from }): Decided => {
          const entry = entryIn(state, collection, id);
          if (!on(collection).order) return reject("unordered", { collection });
          if (!entry) return reject("missing", { collection, id });
          if (after && !entryIn(state, collection, after)) return reject("missing", { collection, id: after });
          if (from !== undefined && entry.place !== from) {
            return new Rejection(conflictOnPlace(entry, collection, { after, place }));
          }
          const table = state[collection] as Table<Entry>;
          if (after !== undefined && (after === id || after === idBefore(table, entry))) return [];
          if (place === entry.place) return [];
          const at = place === undefined ? after : isPlace(place) ? { place } : undefined;
          const room = roomFor(table, at, id);
          if (!room) return reject("no-room", { collection });
          return [...spreadIn(collection, room), { type: "moved", data: { collection, id, place: room.place } }];
        },
        inverse: (state, { collection, id }, made) => {
          const entry = entryIn(state, collection, id);
          const moved = made.find((event) => event.type === "moved");
          if (!entry?.place || !moved) return undefined;
          return { command: "move", input: { collection, id, place: entry.place, from: moved.data.place } };
        },
      },
    },
    touches: ({ type, data }) => {
      const { collection } = data;
      if (type === "spread") return [];
      if (type !== "patched") return [`${collection}/${data.id}`];
      return [...Object.keys(data.fields), ...data.clear].map((field) => `${collection}/${data.id}/${field}`);
    },
  });
}

function entryIn(state: State, collection: string, id: string): Entry | undefined {
  return state[collection]?.get(id);
}

/** The record that stands before one; `null`: none. */
function idBefore(table: Table<Entry>, entry: Entry): string | null {
  const list = ordered(table);
  return list[indexIn(list, entry) - 1]?.id ?? null;
}

/** A state in which a record is what `change` makes of it. */
function changed(
  state: State,
  collection: string,
  id: string,
  change: (entry: Entry | undefined) => Entry | undefined,
): State {
  const table = state[collection];
  if (!table) return state;
  const before = table.get(id);
  const after = change(before);
  const next = after === undefined ? table.delete(id) : table.set(id, after);
  if (next === table) return state;
  reorder(table, next, before ? [before] : [], after ? [after] : []);
  return { ...state, [collection]: next };
}

function entryOf({ id, value, place }: Omit<RecordEvents["created"], "collection">, made: Change): Entry {
  return { id, value, made, ...(place !== undefined && { place }) };
}

/** What adds a record to its collection. */
function add(
  type: "created" | "restored",
  table: Table<Entry>,
  rules: Collection,
  { collection, id, value }: { readonly collection: string; readonly id: string; readonly value: unknown },
  at: Parameters<typeof roomFor>[1],
): Decided {
  if (table.size >= rules.most) return reject("full", { collection, most: rules.most });
  if (typeof at === "string" && !table.has(at)) return reject("missing", { collection, id: at });
  const taken = valueFor(collection, rules, value);
  if ("issues" in taken) return reject("invalid", { collection, issues: taken.issues });
  if (!rules.order) {
    return at === undefined
      ? [{ type, data: { collection, id, value: taken.value } }]
      : reject("unordered", { collection });
  }
  const room = roomFor(table, at);
  if (!room) return reject("no-room", { collection });
  return [...spreadIn(collection, room), { type, data: { collection, id, value: taken.value, place: room.place } }];
}

function spreadIn(collection: string, { spread }: Room): readonly Made<RecordEvents>[] {
  return spread.length === 0 ? [] : [{ type: "spread", data: { collection, places: spread } }];
}

/** What takes a record away again that was added: as long as it is as it was added. */
function removalOf(collection: string, made: readonly Made<RecordEvents>[]): Inverse | undefined {
  const event = made.find((one) => one.type === "created" || one.type === "restored");
  return event && { command: "remove", input: { collection, id: event.data.id, base: event.data.value } };
}
