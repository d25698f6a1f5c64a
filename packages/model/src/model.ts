import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Context, Decision, Made, Reason } from "./decision.ts";
import type { Errand } from "./errand.ts";
import { Table } from "./table.ts";

/** Who looks at a model's state, or at one of its events. */
export interface ModelViewer {
  /** `undefined`: the application itself. */
  readonly user: string | undefined;
}

/** What is known of an event beside its data. */
export interface EventInfo {
  /** Its id: unique within the channel's life. */
  readonly id: string;
  /** The user whose command made it; `undefined`: the application itself, or a deadline. */
  readonly author: string | undefined;
  /** Milliseconds since 1970 by the server; never falls along a channel. */
  readonly time: number;
}

/**
 * A fencing token that an event raises: writes under another one are refused from then on. It is above all before it, of all of the model's locks and in all
 * lives of the channel (`tokensAfter`); what is not is refused as well.
 */
export interface Fence {
  /** Of the lock, unique within the model. */
  readonly name: string;
  readonly token: number;
  /** Nobody holds the lock from then on: no write under it is taken, until its token is raised again. Default false. */
  readonly free?: boolean;
}

/** What takes a command back. */
export interface Inverse {
  readonly command: string;
  readonly input: unknown;
}

/** The way from one version of a model to the next: what is not named stays as it is. Pure. */
export interface ModelUpcaster {
  /** What a snapshot of the older version becomes. Needed where the state's shape has changed and old events may have been trimmed. */
  readonly state?: (state: object) => object;
  readonly commands?: Readonly<Record<string, (input: unknown) => unknown>>;
  readonly events?: Readonly<Record<string, (data: unknown) => unknown>>;
}

type Schemas = Readonly<Record<string, StandardSchemaV1>>;

export interface CommandDefinition<S, I extends StandardSchemaV1, E, R extends Reason> {
  /** What a client may send: checked on the server before `decide` is asked. */
  readonly input: I;
  /** What it makes of the state. Pure: no clock, no chance, nothing but its arguments. */
  readonly decide: (state: S, input: StandardSchemaV1.InferOutput<I>, context: Context) => Decision<E, R>;
  /**
   * What takes it back, worked out on the state that it was decided on; `undefined`: nothing does. It has to say what it expects to find, so that its
   * `decide` can refuse (`conflict`) where somebody else has changed that meanwhile.
   */
  readonly inverse?: (
    before: S,
    input: StandardSchemaV1.InferOutput<I>,
    events: readonly Made<E>[],
  ) => Inverse | undefined;
  /** Its input is nobody's to know: no trace of it is kept beside what `decide` makes of it. Default false. */
  readonly secret?: boolean;
  /** The right on the channel that it takes. Default `write`. */
  readonly right?: "write" | "admin" | "publish" | "read";
}

export interface ModelInput<S extends object, C extends Schemas, E extends Record<string, unknown>, R extends Reason> {
  /** What it is, in words for people: `vote`. The name in a channel is the key under `models`. */
  readonly name: string;
  /** Of its commands and events, from 1. Default 1. */
  readonly version?: number;
  /** The way here from each older version, by the version it starts from. */
  readonly upcasters?: Readonly<Record<number, ModelUpcaster>>;
  /** The state before the first event: a plain object. Large collections are `Table`s in its top fields. */
  readonly initial: () => S;
  /** What an event makes of the state, by name. Pure, never throws, and never changes what it is given. */
  readonly events: { readonly [N in keyof E]: (state: S, data: E[N], event: EventInfo) => S };
  readonly commands: { readonly [N in keyof C]: CommandDefinition<S, C[N], NoInfer<E>, NoInfer<R>> };
  /** The reasons for which it refuses: `reasons<{ code: "full" } | …>()`. Default: any code. */
  readonly reasons?: R | undefined;
  /** What a viewer may hold of the state. Default: all of it. */
  readonly view?: (state: S, viewer: ModelViewer) => S;
  /**
   * May a viewer have an event? Default: yes. Together with `view` it has to hold that the view of the next state is the next state of the view for events that
   * are visible, and the view as it was for those that are not.
   */
  readonly visible?: (event: Made<NoInfer<E>> & { readonly info: EventInfo }, viewer: ModelViewer) => boolean;
  /** When time itself has to act next, in milliseconds since 1970; `undefined`: not. Asked after each change. */
  readonly deadline?: (state: S) => number | undefined;
  /**
   * What the passing of the deadline makes: it must put the next `deadline` later, or take it away. Of more than fits in one decision (1,024 events) it
   * may leave the rest under the same deadline: it is asked again soon.
   */
  readonly onDeadline?: (state: S, context: Context) => readonly Made<NoInfer<E>>[];
  /** What the server does elsewhere before the deadline that has passed acts. Where that fails for the moment, the deadline waits. Default: nothing. */
  readonly errand?: (state: S) => Errand | undefined;
  /** The fencing token that an event raises. */
  readonly fence?: (event: Made<NoInfer<E>>) => Fence | undefined;
  /** What of the state an event touches, for "who changed this": paths like `items/42/title`. Default: none. */
  readonly touches?: (event: Made<NoInfer<E>>) => readonly string[];
}

/** A model: how state comes from events, and events from commands. Pure, and the same on server and client. */
export interface ModelDefinition<
  S extends object = object,
  C extends Schemas = Schemas,
  E extends Record<string, unknown> = Record<string, unknown>,
  R extends Reason = Reason,
> {
  readonly name: string;
  readonly version: number;
  readonly upcasters: Readonly<Record<number, ModelUpcaster>>;
  initial(): S;
  readonly events: { readonly [N in keyof E]: (state: S, data: E[N], event: EventInfo) => S };
  readonly commands: { readonly [N in keyof C]: CommandDefinition<S, C[N], E, R> };
  view(state: S, viewer: ModelViewer): S;
  /** `undefined`: everybody may have every event. */
  readonly visible: ((event: Made<E> & { readonly info: EventInfo }, viewer: ModelViewer) => boolean) | undefined;
  /** Does every viewer hold the same? */
  readonly open: boolean;
  deadline(state: S): number | undefined;
  onDeadline(state: S, context: Context): readonly Made<E>[];
  errand(state: S): Errand | undefined;
  fence(event: Made<E>): Fence | undefined;
  touches(event: Made<E>): readonly string[];
}

/** A model of any kind, for what treats all alike. */
// biome-ignore lint/suspicious/noExplicitAny: a model's functions take what its own functions made
export type AnyModel = ModelDefinition<any, any, any, any>;

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,29}$/;

/**
 * Declares a model.
 *
 * @example
 * export const counter = defineModel({
 *   name: "counter",
 *   initial: () => ({ value: 0 }),
 *   events: { added: (state, data: { by: number }) => ({ value: state.value + data.by }) },
 *   commands: {
 *     add: { input: v.object({ by: v.number() }), decide: (_, { by }) => (by === 0 ? [] : [{ type: "added", data: { by } }]) },
 *   },
 * });
 * @throws RangeError on a name (of an event, a command or a table) or a version that cannot be, or a deadline that nothing answers
 */
export function defineModel<
  S extends object,
  const C extends Schemas,
  E extends Record<string, unknown>,
  R extends Reason = Reason,
>(input: ModelInput<S, C, E, R>): ModelDefinition<S, C, E, R> {
  const { name, version = 1, upcasters = {}, view, visible } = input;
  for (const part of [...Object.keys(input.events), ...Object.keys(input.commands)]) {
    if (!NAME.test(part)) {
      throw new RangeError(`"${part}" of the model ${name}: a letter, then letters, digits and _ - (30 at most)`);
    }
  }
  for (const [field, value] of Object.entries(input.initial())) {
    if (value instanceof Table && !NAME.test(field)) {
      throw new RangeError(
        `the table "${field}" of the model ${name}: a letter, then letters, digits and _ - (30 at most)`,
      );
    }
  }
  if (!Number.isSafeInteger(version) || version < 1) throw new RangeError("a model's version is a whole number from 1");
  for (const old of Object.keys(upcasters)) {
    if (!(Number(old) >= 1 && Number(old) < version)) {
      throw new RangeError(`an upcaster for version ${old} makes no sense where the model's version is ${version}`);
    }
  }
  if ((input.deadline === undefined) !== (input.onDeadline === undefined)) {
    throw new RangeError(`the model ${name} has one of deadline and onDeadline: it takes both`);
  }
  return {
    name,
    version,
    upcasters,
    initial: input.initial,
    events: input.events,
    commands: input.commands,
    view: view ?? ((state) => state),
    visible,
    open: view === undefined && visible === undefined,
    deadline: input.deadline ?? (() => undefined),
    onDeadline: input.onDeadline ?? (() => []),
    errand: input.errand ?? (() => undefined),
    fence: input.fence ?? (() => undefined),
    touches: input.touches ?? (() => []),
  };
}

/** The state of a model. */
export type StateOf<M> = M extends ModelDefinition<infer S, infer _C, infer _E, infer _R> ? S : never;

type CommandsOf<M> = M extends ModelDefinition<infer _S, infer C, infer _E, infer _R> ? C : never;

/** The names of a model's commands. */
export type CommandName<M> = keyof CommandsOf<M> & string;

/** What a command takes. */
export type CommandInput<M, N extends CommandName<M>> = StandardSchemaV1.InferInput<CommandsOf<M>[N]>;

/** Why a model may refuse. */
export type ReasonOf<M> = M extends ModelDefinition<infer _S, infer _C, infer _E, infer R> ? R : never;
