import type { Right } from "@tandem/app";
import type { Runtime } from "@tandem/runtime";
import type { AccessRules } from "./access-rules.ts";
import type { Identity } from "./authenticator.ts";

/** Milliseconds for which a failed `access` function means no rights, before it is asked again. */
const FAILURE_KEPT = 5_000;
/** How often one question is put again because the rights were invalidated while it was being answered. */
const MAX_ROUNDS = 4;

const NONE: readonly Right[] = [];

/** What one connection may do, remembered per channel. */
export interface Rights {
  /** May it? A boolean where the answer is known or the channel's `access` function gives it at once, else a promise. */
  can(channel: string, right: Right): boolean | Promise<boolean>;
  /** All rights on a channel: none on one of an undeclared type, and none under a name that no channel can have. */
  on(channel: string): readonly Right[] | Promise<readonly Right[]>;
  /** Forgets what is known of one channel, or of all: the next question asks the `access` function again. */
  invalidate(channel?: string): void;
  /** Goes on with the identity of a fresh token. */
  renew(identity: Identity): void;
}

export interface RightsOptions {
  readonly rules: AccessRules;
  readonly identity: Identity;
  readonly runtime: Pick<Runtime, "elapsed">;
  /** Most channels to remember; the one unused for longest goes first. Default 2,000. */
  readonly channels?: number | undefined;
}

interface Answer {
  rights: readonly Right[] | Promise<readonly Right[]>;
  /** `elapsed` time until which it holds. */
  until: number;
}

/** The rights of one connection. */
export function createRights({ rules, identity, runtime, channels = 2_000 }: RightsOptions): Rights {
  const answers = new Map<string, Answer>();
  let current = identity;
  let invalidations = 0;

  function on(channel: string): readonly Right[] | Promise<readonly Right[]> {
    const known = answers.get(channel);
    if (!known || runtime.elapsed() >= known.until) return ask(channel, 0);
    remember(channel, known);
    return known.rights;
  }

  function ask(channel: string, round: number): readonly Right[] | Promise<readonly Right[]> {
    const before = invalidations;
    const asked = rules.ask(channel, current);
    if (asked.kind === "undeclared") return NONE;
    const answer: Answer = { rights: NONE, until: Number.POSITIVE_INFINITY };
    remember(channel, answer);
    if (asked.kind === "now") return settle(answer, asked.rights);
    answer.rights = asked.rights.then((rights) => {
      if (before === invalidations) return settle(answer, rights);
      // What came is an answer to yesterday's question.
      if (answers.get(channel) === answer) answers.delete(channel);
      return round + 1 < MAX_ROUNDS ? ask(channel, round + 1) : NONE;
    });
    return answer.rights;
  }

  function settle(answer: Answer, rights: readonly Right[] | undefined): readonly Right[] {
    if (!rights) answer.until = runtime.elapsed() + FAILURE_KEPT;
    answer.rights = rights ?? NONE;
    return answer.rights;
  }

  /** Keeps the map in order of use. */
  function remember(channel: string, answer: Answer): void {
    answers.delete(channel);
    answers.set(channel, answer);
    const [longestUnused] = answers.keys();
    if (answers.size > channels && longestUnused !== undefined) answers.delete(longestUnused);
  }

  function invalidate(channel?: string): void {
    invalidations++;
    if (channel === undefined) answers.clear();
    else answers.delete(channel);
  }

  return {
    on,
    can(channel, right) {
      const rights = on(channel);
      return rights instanceof Promise ? rights.then((list) => list.includes(right)) : rights.includes(right);
    },
    invalidate,
    renew(identity) {
      current = identity;
      invalidate();
    },
  };
}
