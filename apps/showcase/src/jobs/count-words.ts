import type { Work } from "@tandem/model/work";
import { JobFailure } from "@tandem/model/work";
import type { WordCount } from "./word-count.ts";
import { hasNumbers, roomOf, wordCountWords } from "./word-count.ts";

/** The part of the server that counts: a page of a channel's history, the newest first. */
export interface Pages {
  history(
    channel: string,
    page: { readonly before?: number; readonly limit?: number },
  ): Promise<{ readonly events: readonly PageEvent[]; readonly next?: number | undefined }>;
}

interface PageEvent {
  readonly type: string;
  readonly offset: number;
  readonly data?: unknown;
}

/** What was counted so far; `before`: what is left is before this offset. */
interface Counted extends WordCount {
  readonly head: number;
  readonly before: number;
}

/** Events of a page: few, so that nobody who writes waits for the counting. */
const PAGE = 25;

/** Counts the words of a room's messages, page by page; goes on where an attempt before it was lost. @param pause waits between two pages */
export function countWords(pages: Pages, pause: () => Promise<unknown>) {
  return async ({ input, job, signal, progress }: Pick<Work, "input" | "job" | "signal" | "progress">) => {
    const room = roomOf(input);
    if (room === undefined) throw new JobFailure("no-room", "The job names no room.", { recoverable: false });
    let counted = isCounted(job.checkpoint) ? job.checkpoint : undefined;
    while (counted === undefined || counted.before > 1) {
      signal.throwIfAborted();
      const { events, next } = await pages.history(`room:${room}`, {
        limit: PAGE,
        ...(counted && { before: counted.before }),
      });
      const texts = events.flatMap(textOf);
      const head = counted?.head ?? events.at(-1)?.offset ?? 0;
      counted = {
        head,
        before: next ?? 1,
        messages: (counted?.messages ?? 0) + texts.length,
        words: (counted?.words ?? 0) + texts.reduce((sum, text) => sum + wordsIn(text), 0),
      };
      const { messages, words, before } = counted;
      progress(head === 0 ? 1 : 1 - (before - 1) / head, { text: wordCountWords(counted), checkpoint: counted });
      if (before <= 1) return { messages, words } satisfies WordCount;
      await pause();
    }
    return { messages: counted.messages, words: counted.words } satisfies WordCount;
  };
}

function isCounted(value: unknown): value is Counted {
  return hasNumbers(value, ["head", "before", "messages", "words"]);
}

function textOf({ type, data }: PageEvent): string[] {
  if (type !== "message" || typeof data !== "object" || data === null || !("text" in data)) return [];
  return typeof data.text === "string" ? [data.text] : [];
}

function wordsIn(text: string): number {
  return text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}
