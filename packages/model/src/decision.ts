/** An event that a command makes: its name among the model's events, and its data (a JSON value). */
export type Made<E> = { readonly [N in keyof E & string]: { readonly type: N; readonly data: E[N] } }[keyof E & string];

/** Why a model refuses a command: data for the one who asked, told apart by `code`. Never an exception. */
export interface Reason {
  readonly code: string;
}

/**
 * Declares the reasons for which a model refuses, for the types only.
 *
 * @example
 * defineModel({ …, reasons: reasons<{ code: "full"; room: number } | { code: "closed" }>() })
 */
export function reasons<R extends Reason>(): R | undefined {
  return undefined;
}

/** A refusal, made by `reject`. */
export class Rejection<R extends Reason = Reason> {
  readonly reason: R;

  constructor(reason: R) {
    this.reason = reason;
  }
}

/**
 * Refuses a command.
 *
 * @example
 * if (state.closed) return reject("closed", { at: state.closed });
 * @param details what helps to act on it: a JSON object
 */
export function reject<const K extends string, const D extends object = Record<never, never>>(
  code: K,
  details?: D,
): Rejection<{ readonly code: NoInfer<K> } & NoInfer<D>> {
  return new Rejection({ code, ...(details as D) });
}

/**
 * What a client cannot decide on what it holds (it needs a secret, or what its view leaves out): the command goes to the server
 * without taking effect before.
 */
export const UNPREDICTABLE: unique symbol = Symbol("unpredictable");

/** What `decide` answers: the events that are stored together (none: nothing changes), or why not. */
export type Decision<E, R extends Reason = Reason> = readonly Made<E>[] | Rejection<R> | typeof UNPREDICTABLE;

/** Keys that are kept outside the log, by name. Each belongs to one model of one channel. */
export interface Sealing {
  /** Makes a key: stored in the same step as the events of this decision. */
  create(name: string): void;
  /** Seals a JSON value so that nobody can tell it from another of up to `bytes` bytes of JSON. @throws RangeError where it is longer */
  seal(name: string, value: unknown, bytes: number): string;
  /** Opens what was sealed; `undefined` where it cannot be opened (any more). */
  open(name: string, sealed: string): unknown;
  /** Destroys a key in the same step as the events of this decision are stored: what it sealed stays closed for ever. */
  destroy(name: string): void;
}

/** What a decision may know beside state and input. */
export interface Context {
  /** Who asks; `undefined`: the application itself, or a deadline. */
  readonly user: string | undefined;
  /** May this user do everything on the channel? The application may. On a client it is not known: `false`. */
  readonly admin: boolean;
  /** Milliseconds since 1970 by the server (on a client: as far as it is known). */
  readonly time: number;
  /**
   * Ids for what the command makes: the `index`-th is the same on client and server, and at every attempt, and random to all others.
   * 16 letters of base64url. Who sends two commands under one nonce gets the same ids twice: refuse what is there already.
   */
  id(index?: number): string;
  /** Keys outside the log. `undefined` on a client: answer `UNPREDICTABLE` where you need them. */
  readonly sealing: Sealing | undefined;
}
