import type { Right } from "@tandem/app";
import type { Runtime } from "@tandem/runtime";
import type { AccessRules } from "./access-rules.ts";
import type { Identity } from "./authenticator.ts";

/** Milliseconds for which a failed `access` function means no rights, before it is asked again. */
const FAILURE_KEPT = 5_000;
/** How often one question is put again because the rights were invalidated while it was being answered. */
const MAX_ROUNDS = 4;

const NONE: readonly Right[] = [];

export interface RightsOptions {
  readonly rules: AccessRules;
  readonly identity: Identity;
  readonly runtime: Pick<Runtime, "elapsed">;
  /** Most channels to remember; the one unused for longest goes first. Default 2,000. */
  readonly channels?: number | undefined;
}

/** No rights, until that `elapsed` time. */
interface Failed {
  readonly until: number;
}

/** What is known of a channel: its rights, or that they are being asked for, or that nobody could tell. */
type Answer = readonly Right[] | Promise<readonly Right[]> | Failed;

/** What one connection may do, remembered per channel. */
export class Rights {
  readonly #rules: AccessRules;
  readonly #runtime: Pick<Runtime, "elapsed">;
  readonly #channels: number;
  /** In order of use. */
  readonly #answers = new Map<string, Answer>();
  #identity: Identity;
  #invalidations = 0;

  constructor({ rules, identity, runtime, channels = 2_000 }: RightsOptions) {
    this.#rules = rules;
    this.#identity = identity;
    this.#runtime = runtime;
    this.#channels = channels;
  }

  /** How often what was known has been forgotten: an answer from before is of the past where this has moved on. */
  get invalidations(): number {
    return this.#invalidations;
  }

  /** May it? A boolean where the answer is known or the channel's `access` function gives it at once, else a promise. */
  can(channel: string, right: Right): boolean | Promise<boolean> {
    const rights = this.on(channel);
    return rights instanceof Promise ? rights.then((list) => list.includes(right)) : rights.includes(right);
  }

  /** All rights on a channel: none on one of an undeclared type, and none under a name that no channel can have. */
  on(channel: string): readonly Right[] | Promise<readonly Right[]> {
    const known = this.#answers.get(channel);
    if (!known || (isFailed(known) && this.#runtime.elapsed() >= known.until)) return this.#ask(channel, 0);
    this.#remember(channel, known);
    return isFailed(known) ? NONE : known;
  }

  /** Forgets what is known of one channel, or of all: the next question asks the `access` function again. */
  invalidate(channel?: string): void {
    this.#invalidations++;
    if (channel === undefined) this.#answers.clear();
    else this.#answers.delete(channel);
  }

  /** Goes on with the identity of a fresh token. */
  renew(identity: Identity): void {
    this.#identity = identity;
    this.invalidate();
  }

  #ask(channel: string, round: number): readonly Right[] | Promise<readonly Right[]> {
    const before = this.#invalidations;
    const asked = this.#rules.ask(channel, this.#identity);
    if (asked.kind === "undeclared") return NONE;
    if (asked.kind === "now") {
      this.#remember(channel, this.#answerOf(asked.rights));
      return asked.rights ?? NONE;
    }
    const rights = asked.rights.then((found) => {
      const isLast = this.#answers.get(channel) === rights;
      if (before === this.#invalidations) {
        // In its place: that it was answered is no use of it.
        if (isLast) this.#answers.set(channel, this.#answerOf(found));
        return found ?? NONE;
      }
      // What came is an answer to yesterday's question.
      if (isLast) this.#answers.delete(channel);
      return round + 1 < MAX_ROUNDS ? this.#ask(channel, round + 1) : NONE;
    });
    this.#remember(channel, rights);
    return rights;
  }

  #answerOf(rights: readonly Right[] | undefined): Answer {
    return rights ?? { until: this.#runtime.elapsed() + FAILURE_KEPT };
  }

  #remember(channel: string, answer: Answer): void {
    this.#answers.delete(channel);
    this.#answers.set(channel, answer);
    const [longestUnused] = this.#answers.keys();
    if (this.#answers.size > this.#channels && longestUnused !== undefined) this.#answers.delete(longestUnused);
  }
}

function isFailed(answer: Answer): answer is Failed {
  return "until" in answer;
}
