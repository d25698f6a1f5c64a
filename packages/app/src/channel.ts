import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { AnyModel } from "@tandem/model";
import type { ChannelEvent, Lane } from "@tandem/protocol";
import { EventNameSchema, FilterFieldSchema, ModelNameSchema, SignalKeySchema } from "@tandem/protocol";
import * as v from "valibot";
import type { EventDefinition, EventInput } from "./event.ts";
import { toEventDefinition } from "./event.ts";
import type { PresenceDefinition, PresenceInput } from "./presence.ts";
import { toPresenceDefinition } from "./presence.ts";
import type { Access, Viewer } from "./rights.ts";

/** How much of a channel's history is kept. What is over any bound is trimmed, oldest first. Default: everything. */
export interface Retention {
  /** Most events. */
  readonly count?: number;
  /** Longest age in milliseconds. */
  readonly age?: number;
  /** Most bytes of payload. */
  readonly bytes?: number;
}

/**
 * May this viewer read this event? Asked on the server for every event and viewer; the ranges of deliveries still cover what was
 * left out, so that nothing looks lost.
 */
export type Visible = (event: ChannelEvent, viewer: Viewer) => boolean;

/**
 * What becomes of a subscriber that does not keep up. `catch-up`: it reads on from the log at its own pace and misses
 * nothing. `latest`: of what it missed it gets the newest event of each key. `disconnect`: it is cut off with `too-slow`,
 * and comes back.
 */
export type Overflow = "catch-up" | "latest" | "disconnect";

/** What someone wants to write: an event of the channel's own, or a command of a model. */
export type Write =
  | { readonly event: string; readonly data: unknown; readonly user: string | undefined }
  | { readonly model: string; readonly command: string; readonly input: unknown; readonly user: string | undefined };

/** The lock under which something may be written, as `{model}/{lock}`; `undefined`: none is needed. Pure. Asked before a schema has seen what is written; where it throws, that is refused. */
export type Protect = (write: Write) => string | undefined;

/** The models of a channel type, by the name that each has in the channel. */
export type Models = Readonly<Record<string, AnyModel>>;

export interface ChannelInput<
  E extends Record<string, EventInput>,
  P extends StandardSchemaV1 = StandardSchemaV1,
  S extends Record<string, StandardSchemaV1> = Record<string, StandardSchemaV1>,
  M extends Models = Models,
> {
  /** The event types that may be published: name → Standard Schema, or `event({...})` with version and upcasters. */
  readonly events: E;
  /** Its models: name → `defineModel({...})`, or one that Tandem brings along. Their events are `{name}.{event}`. */
  readonly models?: M;
  /** Which lock a write takes: it has to bring that lock's newest fencing token. Default: none does. */
  readonly protect?: Protect;
  readonly retention?: Retention;
  /** Default: the rights that the token grants. */
  readonly access?: Access;
  /** Default: who may read the channel may read all of it. */
  readonly visible?: Visible;
  /** The lane of its subscriptions, where they name none. Default `normal`. */
  readonly priority?: Lane;
  /** Top fields of payloads that subscriptions may filter by. Default: none; every subscription may filter by event type. */
  readonly filterable?: readonly string[];
  /** Default `catch-up`. */
  readonly overflow?: Overflow;
  /** With `latest`: events of one key replace each other. Pure. Default: the event's type. */
  readonly key?: (event: ChannelEvent) => string;
  /** Users may be present in it: what they say of themselves, and who is shown in a large room. */
  readonly presence?: PresenceInput<P>;
  /** Its kinds of signals: name → Standard Schema. Those who are present signal; signals are not stored, the latest wins. */
  readonly signals?: S;
}

/** A declared channel type. The fields with `~` keep the schemas for the types of the client. */
export interface ChannelDefinition<
  E extends Record<string, EventInput> = Record<string, EventInput>,
  P extends StandardSchemaV1 = StandardSchemaV1,
  S extends Record<string, StandardSchemaV1> = Record<string, StandardSchemaV1>,
  M extends Models = Models,
> {
  readonly events: ReadonlyMap<string, EventDefinition>;
  readonly models: ReadonlyMap<string, AnyModel>;
  readonly protect: Protect | undefined;
  readonly retention: Retention;
  readonly access: Access;
  readonly visible: Visible | undefined;
  readonly priority: Lane;
  readonly filterable: ReadonlySet<string>;
  readonly overflow: Overflow;
  readonly key: (event: ChannelEvent) => string;
  /** `undefined`: nobody can be present. */
  readonly presence: PresenceDefinition | undefined;
  readonly signals: ReadonlyMap<string, StandardSchemaV1>;
  /** For types only; never there at run time. */
  readonly "~events"?: E;
  readonly "~presence"?: P;
  readonly "~signals"?: S;
  readonly "~models"?: M;
}

/** Declares a channel type. @throws RangeError on a name of an event or a signal, a field or a bound that cannot be. */
export function channel<
  const E extends Record<string, EventInput>,
  P extends StandardSchemaV1 = StandardSchemaV1,
  const S extends Record<string, StandardSchemaV1> = Record<never, StandardSchemaV1>,
  const M extends Models = Record<never, AnyModel>,
>(input: ChannelInput<E, P, S, M>): ChannelDefinition<E, NoInfer<P>, NoInfer<S>, NoInfer<M>> {
  for (const [bound, value] of Object.entries(input.retention ?? {})) {
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`retention.${bound} is a whole number from 1`);
  }
  const events = new Map<string, EventDefinition>();
  for (const [name, declared] of Object.entries(input.events)) {
    if (!v.is(EventNameSchema, name)) {
      throw new RangeError(`"${name}" is not an event name: a letter, then letters, digits and _ . - (64 at most)`);
    }
    events.set(name, toEventDefinition(declared));
  }
  const models = new Map<string, AnyModel>(Object.entries(input.models ?? {}));
  for (const name of models.keys()) {
    if (!v.is(ModelNameSchema, name)) {
      throw new RangeError(`"${name}" is not a model's name: a letter, then letters, digits and _ - (30 at most)`);
    }
    const clash = [...events.keys()].find((event) => event.startsWith(`${name}.`));
    if (clash !== undefined)
      throw new RangeError(`"${clash}" looks like an event of the model ${name}: name it otherwise`);
  }
  const { filterable = [], overflow = "catch-up" } = input;
  for (const field of filterable) {
    if (!v.is(FilterFieldSchema, field)) {
      throw new RangeError(`"${field}" is not a field to filter by: a letter, then letters, digits and _ (64 at most)`);
    }
  }
  if (input.key && overflow !== "latest") throw new RangeError('key goes with overflow: "latest"');
  if (models.size > 0 && overflow === "latest") {
    throw new RangeError('models do not go with overflow: "latest": who misses an event has another state');
  }
  const signals = new Map<string, StandardSchemaV1>(Object.entries(input.signals ?? {}));
  for (const key of signals.keys()) {
    if (!v.is(SignalKeySchema, key)) {
      throw new RangeError(`"${key}" is not a signal's name: a letter, then letters, digits and _ . - (64 at most)`);
    }
  }
  return {
    events,
    models,
    protect: input.protect,
    retention: input.retention ?? {},
    access: input.access ?? ((request) => request.granted),
    visible: input.visible,
    priority: input.priority ?? "normal",
    filterable: new Set(filterable),
    overflow,
    key: input.key ?? ((event) => event.type),
    // Who signals is present, so that one can tell whose signals they are.
    presence: input.presence || signals.size > 0 ? toPresenceDefinition(input.presence ?? {}) : undefined,
    signals,
  };
}
