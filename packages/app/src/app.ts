import type { StandardSchemaV1 } from "@standard-schema/spec";
import { isChannelName } from "@tandem/protocol";
import type { ChannelDefinition } from "./channel.ts";
import type { SchemaOf } from "./event.ts";
import type { Grants } from "./rights.ts";

type Channels = Readonly<Record<string, ChannelDefinition>>;

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

/** The models of a channel type, by name. */
type ModelsOf<A extends AppDefinition, T extends ChannelType<A>> = NonNullable<A["channels"][T]["~models"]>;

/** The names of the models of a channel type. */
export type ModelName<A extends AppDefinition, T extends ChannelType<A>> = keyof ModelsOf<A, T> & string;

/** A model of a channel type. */
export type ModelOf<A extends AppDefinition, T extends ChannelType<A>, N extends ModelName<A, T>> = ModelsOf<A, T>[N];

type PresenceSchema<A extends AppDefinition, T extends ChannelType<A>> = NonNullable<A["channels"][T]["~presence"]>;

/** What a member of a channel may say of itself: the input of the schema `presence.state`. */
export type PresenceInputOf<A extends AppDefinition, T extends ChannelType<A>> = StandardSchemaV1.InferInput<
  PresenceSchema<A, T>
>;

/** What others are shown of it: the schema's output. */
export type PresenceState<A extends AppDefinition, T extends ChannelType<A>> = StandardSchemaV1.InferOutput<
  PresenceSchema<A, T>
>;

type SignalSchemas<A extends AppDefinition, T extends ChannelType<A>> = NonNullable<A["channels"][T]["~signals"]>;

/** The names of the signals of a channel type. */
export type SignalName<A extends AppDefinition, T extends ChannelType<A>> = keyof SignalSchemas<A, T> & string;

/** What may be signalled: the input of the signal's schema. */
export type SignalData<
  A extends AppDefinition,
  T extends ChannelType<A>,
  K extends SignalName<A, T>,
> = StandardSchemaV1.InferInput<SignalSchemas<A, T>[K]>;

/** What others get: the output of the signal's schema. */
export type SignalOutput<
  A extends AppDefinition,
  T extends ChannelType<A>,
  K extends SignalName<A, T>,
> = StandardSchemaV1.InferOutput<SignalSchemas<A, T>[K]>;
