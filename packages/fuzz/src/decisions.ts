import type { AppDefinition } from "@tandem/app";
import { Rejection } from "@tandem/model";
import type { Counts } from "./reports.ts";
import { count } from "./reports.ts";

/** What reached the models of the fuzzed application. */
export interface Decisions {
  /** Commands that a model decided, as `model.command`. */
  readonly asked: Counts;
  /** What it answered: `accepted`, `nothing` (accepted, without an event), or the code of its reason. */
  readonly answers: Counts;
}

/** Counts from now on what the models of an application decide. */
export function watchDecisions(app: AppDefinition): Decisions {
  const decisions: Decisions = { asked: {}, answers: {} };
  for (const { models } of Object.values(app.channels)) {
    for (const [name, { commands }] of models) {
      for (const [command, declared] of Object.entries(commands)) {
        const decide = declared.decide.bind(declared);
        Object.defineProperty(declared, "decide", {
          value(...question: Parameters<typeof decide>) {
            count(decisions.asked, `${name}.${command}`);
            const answer = decide(...question);
            count(decisions.answers, nameOf(answer));
            return answer;
          },
        });
      }
    }
  }
  return decisions;
}

function nameOf(answer: unknown): string {
  if (answer instanceof Rejection) return answer.reason.code;
  return Array.isArray(answer) && answer.length === 0 ? "nothing" : "accepted";
}
