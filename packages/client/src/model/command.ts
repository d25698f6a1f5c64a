import type { AnyModel, Context, Inverse, Made } from "@tandem/model";
import { evolve, Rejection, UNPREDICTABLE } from "@tandem/model";
import type { Position } from "@tandem/protocol";
import { askedId, eventId } from "@tandem/protocol";

/** What one command made of a state. */
interface Step {
  readonly before: object;
  readonly made: readonly Made<Record<string, unknown>>[];
}

/** Where a decision is made. */
export interface Place {
  readonly user: string;
  /** No event has an earlier time from here on. */
  readonly time: number;
}

/** A command of this client, as its copy of the state knows it: what it makes of a state here, and what takes it back. */
export class Command {
  /** The position that the server has answered with: its events stand up to there. */
  answer: Position | undefined;
  /** The state was loaded anew while it was on its way: it may show it already. */
  unsure = false;
  /** It has no effect, or it cannot be told whether it has. */
  refused = false;
  readonly #model: AnyModel;
  readonly #name: string;
  readonly #nonce: string;
  readonly #time: number;
  /** What its schema makes of its input; `undefined`: it does not pass, or cannot be told at once. */
  readonly #input: { readonly value: unknown } | undefined;
  readonly #sentAs: (index: number) => string | undefined;
  #step: Step | undefined;
  #inverse: { readonly found: Inverse | undefined } | undefined;

  /**
   * @param input a JSON value of its own
   * @param time the server's, at the call
   * @param sentAs what its `index`-th event's id begins with (`askedId`); `undefined` before it is sent. It may change until it is answered
   */
  constructor(
    model: AnyModel,
    said: { readonly name: string; readonly input: unknown; readonly nonce: string; readonly time: number },
    sentAs: (index: number) => string | undefined,
  ) {
    this.#model = model;
    this.#name = said.name;
    this.#nonce = said.nonce;
    this.#time = said.time;
    this.#sentAs = sentAs;
    this.#input = this.#validated(said.input);
  }

  get isSent(): boolean {
    return this.#sentAs(0) !== undefined;
  }

  /** Which of its events has this id, of those with an index below `end`; -1: none. */
  indexOf(id: string, end: number): number {
    const asked = askedId(id);
    for (let index = 0; this.isSent && index < end; index++) if (this.#sentAs(index) === asked) return index;
    return -1;
  }

  /** What it makes of a state, as far as this client can tell: the state as it was where it cannot, or where the model refuses. */
  decide<S extends object>(state: S, { user, time: earliest }: Place): S {
    this.#tell(undefined);
    const definition = this.#definition;
    if (!definition || !this.#input) return state;
    const time = Math.max(this.#time, earliest);
    const context: Context = {
      user,
      admin: false,
      time,
      id: (index = 0) => eventId(`${user}/${this.#nonce}`, 0, index),
      sealing: undefined,
    };
    try {
      const decision = definition.decide(state, this.#input.value, context);
      if (decision instanceof Rejection || decision === UNPREDICTABLE) return state;
      let next = state;
      for (const [index, { type, data }] of decision.entries()) {
        const id = this.#sentAs(index) ?? `${this.#nonce}/${index}`;
        const info = { id, author: user, time };
        // What the server will not let this viewer have leaves the view as it is.
        if (this.#model.visible?.({ type, data, info }, { user }) === false) continue;
        next = evolve(this.#model, next, { type, version: this.#model.version, data, info });
      }
      this.#tell({ before: state, made: decision });
      return next;
    } catch {
      // The server will say what is wrong.
      return state;
    }
  }

  /** Its events have come: what takes it back is worked out on the state that the server decided it on. */
  confirm(step: Step): void {
    this.#tell(step);
    this.inverse();
    this.#step = undefined;
  }

  /** What takes it back, as far as is known. */
  inverse(): Inverse | undefined {
    if (!this.#inverse) this.#inverse = { found: this.#takenBack() };
    return this.#inverse.found;
  }

  get #definition() {
    return Object.hasOwn(this.#model.commands, this.#name) ? this.#model.commands[this.#name] : undefined;
  }

  #tell(step: Step | undefined): void {
    this.#step = step;
    this.#inverse = undefined;
  }

  #takenBack(): Inverse | undefined {
    if (!this.#step || this.#step.made.length === 0) return undefined;
    try {
      return this.#definition?.inverse?.(this.#step.before, this.#input?.value, this.#step.made);
    } catch {
      return undefined;
    }
  }

  #validated(input: unknown): { readonly value: unknown } | undefined {
    try {
      const result = this.#definition?.input["~standard"].validate(input);
      return !result || result instanceof Promise || result.issues ? undefined : result;
    } catch {
      return undefined;
    }
  }
}
