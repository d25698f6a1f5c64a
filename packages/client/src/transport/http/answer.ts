import type { Close, ServerMessage } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { Alarm } from "../../alarm.ts";
import type { Post, PostRequest } from "./post.ts";

/** Longest answer that is held before it is understood, in letters. A server of ours sends far less. */
const LONGEST = 33_554_432;

/** What a response says: messages, and how its connection ended where that was not in good order. */
export type Said = ServerMessage | Close;

export interface AnswerEvents {
  said(messages: Said[]): void;
  /** It is complete (200); or the status it came with; or 0: the network failed, it was no answer of ours, or was not there in time. */
  ended(status: number, retryAfter: number): void;
}

/** How long an answer may be silent, in milliseconds. */
export interface Patience {
  /** Until it begins, and between its pieces. */
  readonly first: number;
  readonly between: number;
}

/**
 * Asks, and reads the answer: JSON in one piece, or server-sent events as they come.
 *
 * @returns the call that gives it up: nothing is told after it
 */
export function readAnswer(
  post: Post,
  runtime: Runtime,
  request: PostRequest,
  patience: Patience,
  events: AnswerEvents,
): () => void {
  const isStream = request.accept === "text/event-stream";
  const silence = new Alarm(runtime);
  let held = "";
  const end = (status: number, retryAfter = 0) => {
    silence.cancel();
    events.ended(status, retryAfter);
  };
  const giveUp = () => {
    silence.cancel();
    abort();
  };
  const fail = () => {
    abort();
    end(0);
  };
  const read = (texts: readonly string[]): boolean => {
    try {
      const said = texts.flatMap((text): Said[] => frameOf(text));
      if (said.length > 0) events.said(said);
      return true;
    } catch (error) {
      runtime.logger.warn({ error }, "an answer could not be read");
      return false;
    }
  };
  const abort = post(request, {
    text(piece) {
      silence.set(patience.between, fail);
      held += piece;
      if (held.length > LONGEST) return fail();
      if (!isStream) return;
      const blocks = held.split("\n\n");
      held = blocks.pop() ?? "";
      if (!read(blocks.filter((block) => block.startsWith("data: ")).map((block) => block.slice(6)))) fail();
    },
    ended(status, retryAfter) {
      if (status === 200 && !isStream && !read([held])) return end(0);
      end(status, retryAfter);
    },
  });
  silence.set(patience.first, fail);
  return giveUp;
}

function frameOf(text: string): Said[] {
  const messages: unknown = JSON.parse(text);
  if (!Array.isArray(messages)) throw new Error("An answer is an array of messages.");
  return messages;
}
