import type { AnyModel, Context, Made, Sealing } from "@tandem/model";
import { Rejection, upcastEvent, upcastInput } from "@tandem/model";
import { eventId } from "@tandem/protocol";
import type { Fact } from "../ledger.ts";
import type { Asked } from "./book.ts";
import { textOf } from "./comparison.ts";
import { modelEventOf } from "./desk.ts";

/** What made no event is settled later than it was decided, by another clock perhaps: so many milliseconds at most. */
const LATER_MS = 90_000;

const SEALED = "sealed: ";

export type Answer =
  | { readonly kind: "made"; readonly events: readonly Made<Record<string, unknown>>[] }
  | { readonly kind: "rejected"; readonly code: string };

/** What can be asked of a model. */
export type Question = Asked | { readonly deadline: string };

/** Asks models again what nodes have asked them, and tells whether the answers could have been the same. */
export class Decisions {
  /** What was sealed, by the sealed text. */
  readonly #sealed = new Map<string, unknown>();

  /** What the model answers to a question at a time. */
  ask(model: AnyModel, state: object, question: Question, time: number): Answer {
    if ("deadline" in question) {
      const due = model.deadline(state);
      const events =
        due !== undefined && Math.ceil(due) <= time
          ? model.onDeadline(state, this.#context(undefined, true, question.deadline, time))
          : [];
      return { kind: "made", events };
    }
    const { command, version, input, user, admin, nonce } = question;
    const declared = model.commands[command];
    const checked = declared?.input["~standard"].validate(upcastInput(model, command, version, input));
    if (!declared || !checked || checked instanceof Promise || checked.issues)
      return { kind: "rejected", code: "none" };
    const decided = declared.decide(state, checked.value, this.#context(user, admin, nonce, time));
    if (decided instanceof Rejection) return { kind: "rejected", code: decided.reason.code };
    return { kind: "made", events: decided as readonly Made<Record<string, unknown>>[] };
  }

  /**
   * Could the model have made these events of a state? Those that are stored were decided for their own time.
   *
   * @param time of the commit, about which it was decided
   * @returns what is wrong
   */
  differs(
    model: AnyModel,
    state: object,
    question: Question,
    facts: readonly Fact[],
    time: number,
  ): string | undefined {
    let first: string | undefined;
    const moments = facts[0] ? [facts[0].time] : momentsIn(state, question, time);
    for (const moment of moments) {
      const answer = this.ask(model, state, question, moment);
      const wrong =
        answer.kind === "rejected" ? `it refuses that (${answer.code})` : this.#compare(model, answer, facts);
      if (!wrong) return undefined;
      first ??= wrong;
    }
    return first;
  }

  /** Could the model have refused this with that code? */
  refuses(model: AnyModel, state: object, question: Question, code: string, times: readonly number[]): boolean {
    return times.some((time) =>
      [...momentsIn(state, question, time)].some((moment) => {
        const answer = this.ask(model, state, question, moment);
        return answer.kind === "rejected" && answer.code === code;
      }),
    );
  }

  #compare(model: AnyModel, { events }: Extract<Answer, { kind: "made" }>, facts: readonly Fact[]): string | undefined {
    const stored = facts.map((fact) => modelEventOf(fact));
    const learned: [string, unknown][] = [];
    if (events.length !== stored.length) return `it makes ${events.length} events, ${stored.length} are stored`;
    for (const [index, { type, data }] of events.entries()) {
      const event = stored[index];
      if (!event || event.type !== type) return `it makes ${type}, ${event?.type} is stored`;
      const actual = upcastEvent(model, event);
      if (!alike(JSON.parse(JSON.stringify(data)), actual, (text, value) => learned.push([text, value])))
        return `it makes ${JSON.stringify(data)} of ${type}, stored is ${JSON.stringify(actual)}`;
    }
    for (const [text, value] of learned) this.#sealed.set(text, value);
    return undefined;
  }

  #context(user: string | undefined, admin: boolean, nonce: string, time: number): Context {
    const sealing: Sealing = {
      create: () => {},
      destroy: () => {},
      seal: (_, value) => `${SEALED}${JSON.stringify(value)}`,
      open: (_, sealed) =>
        sealed.startsWith(SEALED) ? JSON.parse(sealed.slice(SEALED.length)) : this.#sealed.get(sealed),
    };
    return { user, admin, time, sealing, id: (index = 0) => eventId(`${user ?? ""}/${nonce}`, 0, index) };
  }
}

/** The times at which it may have been decided that matter: then, and about each time that the state or the question tells. */
function* momentsIn(state: object, question: Question, time: number): Generator<number, undefined> {
  yield time;
  const told = `${textOf(state)}${JSON.stringify(question)}`.match(/\d{13}/g) ?? [];
  for (const text of new Set(told)) {
    const moment = Number(text);
    if (Math.abs(moment - time) > LATER_MS) continue;
    yield moment;
    yield moment - 1;
  }
}

/** Are two JSON values the same, but for what is sealed? */
function alike(expected: unknown, actual: unknown, learn: (sealed: string, value: unknown) => void): boolean {
  if (typeof expected === "string" && expected.startsWith(SEALED)) {
    if (typeof actual !== "string") return false;
    learn(actual, JSON.parse(expected.slice(SEALED.length)));
    return true;
  }
  if (typeof expected !== "object" || typeof actual !== "object" || expected === null || actual === null)
    return expected === actual;
  const [left, right] = [expected as Record<string, unknown>, actual as Record<string, unknown>];
  const names = Object.keys(left);
  return (
    Array.isArray(left) === Array.isArray(right) &&
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && alike(left[name], right[name], learn))
  );
}
