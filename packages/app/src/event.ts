import type { StandardSchemaV1 } from "@standard-schema/spec";

/** Turns the data of one version of an event into that of the next. Pure. */
export type Upcaster = (data: unknown) => unknown;

/** A declared event type: the schema of its present version, and the way there from every older one. */
export interface EventDefinition<S extends StandardSchemaV1 = StandardSchemaV1> {
  readonly schema: S;
  /** The schema's version, from 1. */
  readonly version: number;
  /** By the version they start from: 1 to `version - 1`. */
  readonly upcasters: Readonly<Record<number, Upcaster>>;
}

/**
 * Declares an event type whose schema has changed since its first version.
 *
 * @example
 * event({
 *   version: 2,
 *   schema: v.object({ text: v.string(), tone: v.string() }),
 *   upcasters: { 1: (data) => ({ ...data, tone: "plain" }) },
 * })
 * @throws RangeError when an upcaster is missing, or stands for a version that is not older
 */
export function event<S extends StandardSchemaV1>(definition: {
  readonly schema: S;
  readonly version: number;
  readonly upcasters: Readonly<Record<number, Upcaster>>;
}): EventDefinition<S> {
  const { version, upcasters } = definition;
  if (!Number.isSafeInteger(version) || version < 1)
    throw new RangeError("an event's version is a whole number from 1");
  for (let old = 1; old < version; old++) {
    if (!upcasters[old]) throw new RangeError(`the event's version is ${version}: add an upcaster for version ${old}`);
  }
  for (const old of Object.keys(upcasters)) {
    if (!(Number(old) >= 1 && Number(old) < version)) {
      throw new RangeError(`an upcaster for version ${old} makes no sense where the event's version is ${version}`);
    }
  }
  return definition;
}

/** An event type as an application may write it: a bare schema is version 1. */
export type EventInput = StandardSchemaV1 | EventDefinition;

/** The schema in an `EventInput`. */
export type SchemaOf<E> = E extends EventDefinition<infer S> ? S : E extends StandardSchemaV1 ? E : never;

export function toEventDefinition(input: EventInput): EventDefinition {
  return "~standard" in input ? { schema: input, version: 1, upcasters: {} } : input;
}

/**
 * Brings an event's data from an older version to the declared one.
 *
 * @returns the data of `definition.version`; data of a newer version than the declared one comes back as it is
 */
export function upcast(definition: EventDefinition, version: number, data: unknown): unknown {
  let current = data;
  for (let at = version; at < definition.version; at++) current = definition.upcasters[at]?.(current);
  return current;
}
