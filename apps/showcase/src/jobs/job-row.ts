import type { Job } from "@tandem/model";
import type { NameOf } from "../people/names.ts";
import type { Stage } from "../tools/commands.ts";
import { isWordCount, wordCountWords } from "./word-count.ts";

/** A job as it stands on the page. */
export interface JobRow {
  readonly id: string;
  readonly title: string;
  readonly by: string;
  readonly kind: Job["phase"]["kind"];
  /** Where it is, or what came of it, as words. */
  readonly words: string;
  /** From 0 to 1. */
  readonly progress: number;
  readonly isOver: boolean;
  readonly canCancel: boolean;
  /** How far an own command about it is that is not final. */
  readonly stage: Stage | undefined;
}

export function jobRow(job: Job, nameOf: NameOf, stage: Stage | undefined): JobRow {
  const { id, title, by, phase, progress } = job;
  const { kind } = phase;
  const isOver = kind === "completed" || kind === "failed" || kind === "cancelled";
  return {
    id,
    title,
    by: nameOf(by),
    kind,
    words: wordsOf(job, nameOf),
    progress,
    isOver,
    canCancel: !isOver && kind !== "cancelling",
    stage,
  };
}

function wordsOf({ phase, text, progress }: Job, nameOf: NameOf): string {
  switch (phase.kind) {
    case "waiting":
      return "Waits for a worker";
    case "running":
      return `${Math.round(progress * 100)} %${text === undefined ? "" : `: ${text}`}`;
    case "stalled":
      return "Nothing is heard of its worker";
    case "retrying":
      return "Is tried again soon";
    case "cancelling":
      return "Is being cancelled";
    case "completed":
      return isWordCount(phase.result) ? wordCountWords(phase.result) : "Done";
    case "failed":
      return `Failed. ${phase.error.message}`;
    case "cancelled": {
      const name = nameOf(phase.by);
      return phase.by === undefined ? "Cancelled" : `Cancelled by ${name === "You" ? "you" : name}`;
    }
  }
}
