import type { FenceToken } from "@tandem/protocol";
import { errorOf } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Channel } from "../channel/channel.ts";
import type { AppendResult, NewEvent, Producer, Refusal } from "../log/log.ts";
import type { DecisionPorts, Question, Speculation } from "./decision.ts";
import { decide } from "./decision.ts";
import type { Instance } from "./instance.ts";
import type { Snapshots } from "./snapshots.ts";

/** Most that wait on one channel. */
const WAITING = 8_192;

/** Most that are decided in one turn of the event loop, and so many milliseconds after which what is left waits for the next round. */
const ROUND = 1_024;
const ROUND_MS = 10;

/** Letters of the name that the decisions of a round have: no two decisions of one question share it. */
const DECISION = 8;

/** So many times a question is asked again because others were quicker; then it comes back as `conflict`. */
const TRIES = 32;

/** After so many conflicts in a row the decider gives way for a moment, up to so many milliseconds a conflict. */
const PATIENT_CONFLICTS = 2;
const GIVE_WAY_MS = 8;

/** How long clients are asked to wait where the log cannot be read, in milliseconds. */
const UNREADABLE_MS = 500;

/** Something to append that has to keep its place in the line: what a model is asked, events as they are, or a refusal. */
export interface Attempt {
  readonly producer: Producer;
  readonly fence: FenceToken | undefined;
  readonly what:
    | { readonly kind: "ask"; readonly instance: Instance; readonly question: Question }
    | { readonly kind: "events"; readonly events: readonly NewEvent[] }
    | { readonly kind: "refusal"; readonly refusal: Refusal };
}

interface Waiting {
  readonly attempt: Attempt;
  tries: number;
  settle(result: AppendResult): void;
  fail(error: unknown): void;
}

/** What the log answered to one of a round, or why it did not. */
type Answer =
  | { readonly waiting: Waiting; readonly result: AppendResult }
  | { readonly waiting: Waiting; readonly error: unknown };

export interface DeciderPorts extends DecisionPorts {
  readonly runtime: Runtime;
  readonly snapshots: Snapshots;
  /** A model is to act at this time, in milliseconds since 1970. */
  deadlineSet(at: number): void;
}

/**
 * Decides what is asked of the models of one channel, in the order in which it was asked. A round is decided in one go, each question on
 * the state that the one before it leaves behind, and goes to the log as runs that expect each other. What the log refuses because another node was
 * quicker is asked again on the state that there is then, before all that came later.
 */
export class Decider {
  readonly #channel: Channel;
  readonly #ports: DeciderPorts;
  #waiting: Waiting[] = [];
  #running = false;
  #conflicts = 0;

  constructor(channel: Channel, ports: DeciderPorts) {
    this.#channel = channel;
    this.#ports = ports;
  }

  /** Is nothing on its way to the log? What is appended then overtakes nobody. */
  get idle(): boolean {
    return !this.#running;
  }

  /** @throws TandemError (by rejection) `overloaded`, `conflict`, `model-stopped`, `storage-unavailable` */
  push(attempt: Attempt): Promise<AppendResult> {
    if (this.#waiting.length >= WAITING) return Promise.reject(errorOf("overloaded", { retryAfter: 1_000 }));
    return new Promise((settle, fail) => {
      this.#waiting.push({ attempt, tries: 0, settle, fail });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    // One frame may bring many: the first of them waits for the others, and for no timer.
    await undefined;
    while (this.#waiting.length > 0) {
      const round = this.#waiting.splice(0, ROUND);
      try {
        await this.#ready(round);
      } catch (error) {
        for (const { fail } of round) fail(error);
        continue;
      }
      await this.#conclude(await Promise.all(this.#append(round)));
    }
    this.#running = false;
  }

  /** Has the models that are asked stand at the channel's head, all at once. */
  async #ready(round: readonly Waiting[]): Promise<void> {
    const instances = new Set<Instance>();
    for (const { attempt } of round) if (attempt.what.kind === "ask") instances.add(attempt.what.instance);
    for (let behind = true; behind; ) {
      behind = false;
      for (const instance of instances) {
        const advancing = instance.advance();
        const sealing = !advancing && usesSecrets(instance) && !instance.keysAreCurrent;
        if (!advancing && !sealing) continue;
        behind = true;
        await (advancing ?? instance.loadKeys());
      }
    }
  }

  #append(round: readonly Waiting[]): Promise<Answer>[] {
    const { runtime } = this.#ports;
    const speculations = new Map<Instance, Speculation>();
    const answers: Promise<Answer>[] = [];
    const begin = runtime.elapsed();
    const decision = runtime.randomId().slice(0, DECISION);
    for (const waiting of round) {
      if (answers.length > 0 && runtime.elapsed() - begin >= ROUND_MS) break;
      answers.push(
        this.#appendOne(waiting.attempt, speculations, decision).then(
          (result) => ({ waiting, result }),
          (error: unknown) => ({ waiting, error }),
        ),
      );
    }
    if (answers.length < round.length) this.#waiting = [...round.slice(answers.length), ...this.#waiting];
    return answers;
  }

  #appendOne(
    { producer, fence, what }: Attempt,
    speculations: Map<Instance, Speculation>,
    decision: string,
  ): Promise<AppendResult> {
    if (what.kind === "events") return this.#channel.append({ producer, fence, events: what.events });
    if (what.kind === "refusal") return this.#channel.append({ producer, events: [], refusal: what.refusal });
    const { instance, question } = what;
    if (instance.stopped !== undefined) {
      // Settled for good, so that what this producer sends after it is not held back: the channel goes on.
      const refusal: Refusal = { code: "model-stopped", message: instance.stopped };
      return this.#channel.append({ producer, events: [], refusal });
    }
    try {
      const before = speculations.get(instance) ?? { ...instance.at, keys: instance.keys };
      const time = Math.max(this.#ports.runtime.now(), this.#channel.head.time);
      const decided = decide(instance, before, question, producer, { time, decision }, this.#ports);
      if (decided.kind === "refuse") {
        return this.#channel.append({ producer, events: [], refusal: decided.refusal, model: decided.model });
      }
      speculations.set(instance, decided.next);
      if (decided.model.deadline !== undefined) this.#ports.deadlineSet(decided.model.deadline);
      return this.#channel.append({ producer, fence, events: decided.events, model: decided.model, now: time });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #conclude(answers: readonly Answer[]): Promise<void> {
    const again: Waiting[] = [];
    /** Producers with something that is asked again: what they sent after it finds a hole before it. */
    const held = new Set<string>();
    for (const answer of answers) {
      const { waiting } = answer;
      const { attempt, settle, fail } = waiting;
      if ("error" in answer) {
        fail(answer.error);
        continue;
      }
      const { result } = answer;
      const { producer, what } = attempt;
      const hole = result.kind === "out-of-sequence" && held.has(`${producer.user}/${producer.id}`);
      if (result.kind === "conflict" || hole) {
        held.add(`${producer.user}/${producer.id}`);
        if (result.kind === "conflict") waiting.tries++;
        if (waiting.tries < TRIES) again.push(waiting);
        else fail(errorOf("conflict", { retryAfter: 100 + Math.floor(this.#ports.runtime.random() * 900) }));
        continue;
      }
      if (result.kind === "committed" && what.kind === "ask" && result.tags.length > 0)
        this.#ports.snapshots.consider(what.instance);
      settle(result);
    }
    this.#conflicts = again.length > 0 ? this.#conflicts + 1 : 0;
    if (again.length === 0) return;
    if (!(await this.#channel.catchUp())) {
      // Asked again on what is known now, they would meet the same conflict.
      for (const { fail } of again) fail(errorOf("storage-unavailable", { retryAfter: UNREADABLE_MS }));
      return;
    }
    this.#waiting = [...again, ...this.#waiting];
    if (this.#conflicts > PATIENT_CONFLICTS) await this.#giveWay();
  }

  /** Two nodes that decide at the same pace would be in each other's way again and again. */
  #giveWay(): Promise<void> {
    const wait = this.#ports.runtime.random() * GIVE_WAY_MS * Math.min(this.#conflicts, 8);
    return new Promise((resolve) => {
      this.#ports.runtime.timer(wait, resolve);
    });
  }
}

function usesSecrets({ model }: Instance): boolean {
  return Object.values(model.commands).some((command) => (command as { secret?: boolean }).secret === true);
}
