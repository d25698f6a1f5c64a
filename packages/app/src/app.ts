import type { StandardSchemaV1 } from "@standard-schema/spec";
import { isChannelName } from "@tandem/protocol";
import type { ChannelDefinition } from "./channel.ts";
import type { EventInput, SchemaOf } from "./event.ts";
import type { Grants } from "./rights.ts";

type Channels = Readonly<Record<string, ChannelDefinition<Record<string, EventInput>>>>;

/** People without an account: what they may do, and in which tenant they are. */
export interface Guests {
  readonly grants: Grants;
  /** Default `default`. */
  readonly tenant?: string;
}

/** What an application declares: its channel types, and whom it admits without a token. */
export interface AppDefinition<C extends Channels = Channels> {
  readonly channels: C;
  /** Left out: nobody is admitted without a token. */
  readonly guests?: Guests;
}

/**
 * Declares an application. The default export of `tandem.config.ts`.
 *
 * @example
 * export default defineApp({
 *   channels: {
 *     room: channel({ events: { message: v.object({ text: v.string() }) }, retention: { count: 10_000 } }),
 *   },
 * });
 * @throws RangeError on the name of a channel type that cannot be
 */
export function defineApp<const C extends Channels>(definition: AppDefinition<C>): AppDefinition<C> {
  for (const type of Object.keys(definition.channels)) {
    if (!isChannelName(`${type}:x`)) {
      throw new RangeError(
        `"${type}" is not a channel type: a small letter, then small letters, digits and - (32 at most)`,
      );
    }
  }
  return definition;
}

/** The names of an application's channel types. */
export type ChannelType<A extends AppDefinition> = keyof A["channels"] & string;

type EventInputs<A extends AppDefinition, T extends ChannelType<A>> = NonNullable<A["channels"][T]["~events"]>;

/** The names of the events of a channel type. */
export type EventName<A extends AppDefinition, T extends ChannelType<A>> = keyof EventInputs<A, T> & string;

/** What may be published as an event: the input of its schema. */
export type EventData<
  A extends AppDefinition,
  T extends ChannelType<A>,
  N extends EventName<A, T>,
> = StandardSchemaV1.InferInput<SchemaOf<EventInputs<A, T>[N]>>;

/** What readers of an event get: the output of its schema. */
export type EventOutput<
  A extends AppDefinition,
  T extends ChannelType<A>,
  N extends EventName<A, T>,
> = StandardSchemaV1.InferOutput<SchemaOf<EventInputs<A, T>[N]>>;
