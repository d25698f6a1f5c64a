import type { AnyModel } from "@tandem/model";
import { evolve } from "@tandem/model";
import type { Position } from "@tandem/protocol";
import type { Fact, Ledger } from "../ledger.ts";
import type { DeskModel } from "./desk.ts";
import { MODELS, modelEventOf, models } from "./desk.ts";

/** The state of each model of a desk. */
export type States = Readonly<Record<DeskModel, object>>;

const BEGINNING = Object.fromEntries(MODELS.map((name) => [name, models[name].initial()])) as States;

/** Most erased events of which it is tried whether a state knows them: so many times two states. */
const ERASED = 4;

/** What the models of every desk are at every position, worked out from nothing but what the log committed and the models' definitions. */
export class Oracle {
  readonly #ledger: Ledger;
  readonly #after = new WeakMap<Fact, States>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** The states after an event; `undefined`: before the first. */
  after(fact: Fact | undefined): States {
    const todo: Fact[] = [];
    let at = fact;
    for (; at && !this.#after.has(at); at = at.previous) todo.push(at);
    let states = (at && this.#after.get(at)) ?? BEGINNING;
    for (const next of todo.reverse()) {
      states = step(states, next, () => false);
      this.#after.set(next, states);
    }
    return states;
  }

  /** The states at a position of any life; `undefined` where nothing was ever stored there. */
  at(channel: string, position: Position): States | undefined {
    if (position.offset === 0) return BEGINNING;
    const fact = this.#ledger.at(channel, position);
    return fact && this.after(fact);
  }

  now(channel: string): States {
    return this.after(this.#ledger.line(channel)?.facts.at(-1));
  }

  /**
   * All that a model's state at a position may be: somebody who has read an event before it was erased knows it still, somebody who
   * reads it later does not.
   */
  *possible(channel: string, position: Position, name: DeskModel): Generator<object, undefined> {
    const states = this.at(channel, position);
    if (!states) return;
    yield states[name];
    const facts: Fact[] = [];
    for (let fact = this.#ledger.at(channel, position); fact; fact = fact.previous) facts.push(fact);
    const erased = facts.filter((fact) => fact.erased && modelEventOf(fact)?.name === name).slice(-ERASED);
    facts.reverse();
    for (let known = 1; known < 2 ** erased.length; known++) {
      const gone = new Set(erased.filter((_, index) => (known & (1 << index)) !== 0));
      yield facts.reduce((before, fact) => step(before, fact, (one) => gone.has(one)), BEGINNING)[name];
    }
  }
}

function step(states: States, fact: Fact, isGone: (fact: Fact) => boolean): States {
  const event = modelEventOf(fact);
  if (!event || isGone(fact)) return states;
  const { name } = event;
  return { ...states, [name]: evolve(models[name] as AnyModel, states[name], event) };
}
