import type { StandardSchemaV1 } from "@standard-schema/spec";
import * as v from "valibot";
import type { ValueOf } from "./collection.ts";
import { LONGEST_PLACE } from "./order.ts";

type Schemas = Readonly<Record<string, StandardSchemaV1>>;
type Each<S extends Schemas, I extends { [K in keyof S]: object }> = {
  [K in keyof S & string]: { readonly collection: K } & I[K];
}[keyof S & string];

/** Makes a record. */
export type Create<S extends Schemas> = Each<
  S,
  {
    [K in keyof S]: {
      /** Left out: a random one. Letters, digits and `_ : . -`, 64 at most. */
      readonly id?: string;
      readonly value: StandardSchemaV1.InferInput<S[K]>;
      /** In an ordered collection: after this record; `null`: before all. Left out: at the end. */
      readonly after?: string | null;
    };
  }
>;

/** Changes some fields. */
export type Patch<S extends Schemas> = Each<
  S,
  {
    [K in keyof S]: {
      readonly id: string;
      /** The new values. */
      readonly fields?: Partial<ValueOf<S[K]>>;
      /** Fields that go. */
      readonly clear?: readonly (keyof ValueOf<S[K]> & string)[];
      /** What the fields were when they were changed; one that is left out was not there. Needed for fields whose policy is not `last`. */
      readonly base?: Partial<ValueOf<S[K]>>;
      /** Refuse where any field is not as in `base`, whatever its policy. Default false. */
      readonly strict?: boolean;
    };
  }
>;

/** Puts a whole record in the place of another: as a `patch` of the fields that differ from `base`, or, without it, from what is there. */
export type Put<S extends Schemas> = Each<
  S,
  { [K in keyof S]: { readonly id: string; readonly value: ValueOf<S[K]>; readonly base?: ValueOf<S[K]> } }
>;

/** Takes a record away. */
export type Remove<S extends Schemas> = Each<
  S,
  {
    [K in keyof S]: {
      readonly id: string;
      /** Refuse where the record is another. Left out: whatever it is. */
      readonly base?: ValueOf<S[K]>;
    };
  }
>;

/** Brings a record back that was removed. */
export type Restore<S extends Schemas> = Each<
  S,
  {
    [K in keyof S]: {
      readonly id: string;
      readonly value: ValueOf<S[K]>;
      /** In an ordered collection: where it stood. Left out: at the end. */
      readonly place?: string;
    };
  }
>;

/** Moves a record of an ordered collection. */
export type Move<S extends Schemas> = Each<
  S,
  {
    [K in keyof S]: {
      readonly id: string;
      /** After this record; `null`: before all. One of `after` and `place`. */
      readonly after?: string | null;
      /** To this place, or next to it where it is taken. */
      readonly place?: string;
      /** Refuse where it does not stand at this place. Left out: wherever it stands. */
      readonly from?: string;
    };
  }
>;

const Id = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_:.-]{1,64}$/));
const Place = v.pipe(v.string(), v.minLength(1), v.maxLength(LONGEST_PLACE));
const Values = v.record(v.string(), v.unknown());
const Names = v.array(v.string());

/** The commands' inputs. */
export type Inputs<S extends Schemas> = {
  readonly create: Typed<Create<S>>;
  readonly patch: Typed<Patch<S>>;
  readonly set: Typed<Put<S>>;
  readonly remove: Typed<Remove<S>>;
  readonly restore: Typed<Restore<S>>;
  readonly move: Typed<Move<S>>;
};

/** A schema whose values have this type for those who write them; models are handed the same. */
type Typed<T> = StandardSchemaV1<T, T>;

/** The inputs of the commands on these collections: their shape here, what is in the records by their own schemas when it is decided. */
export function inputsFor<S extends Schemas>(names: readonly string[]): Inputs<S> {
  const at = { collection: v.picklist(names), id: Id };
  return {
    create: typed<Create<S>>(
      v.strictObject({ ...at, id: v.optional(Id), value: v.unknown(), after: v.optional(v.nullable(Id)) }),
    ),
    patch: typed<Patch<S>>(
      v.strictObject({
        ...at,
        fields: v.optional(Values),
        clear: v.optional(Names),
        base: v.optional(Values),
        strict: v.optional(v.boolean()),
      }),
    ),
    set: typed<Put<S>>(v.strictObject({ ...at, value: Values, base: v.optional(Values) })),
    remove: typed<Remove<S>>(v.strictObject({ ...at, base: v.optional(Values) })),
    restore: typed<Restore<S>>(v.strictObject({ ...at, value: Values, place: v.optional(Place) })),
    move: typed<Move<S>>(
      v.pipe(
        v.strictObject({
          ...at,
          after: v.optional(v.nullable(Id)),
          place: v.optional(Place),
          from: v.optional(Place),
        }),
        v.check(({ after, place }) => (after === undefined) !== (place === undefined), "one of after and place"),
      ),
    ),
  };
}

function typed<T>(schema: StandardSchemaV1): Typed<T> {
  return schema as Typed<T>;
}
