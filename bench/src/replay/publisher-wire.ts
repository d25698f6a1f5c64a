import type { Connect } from "@tandem/client";
import type { Encoded } from "@tandem/protocol";
import { jsonCodec } from "@tandem/protocol";

/** What the wire needs to know of a message. */
interface Message {
  readonly type: string;
  readonly id?: number;
  readonly duplicate?: boolean;
}

/** A kill that waits for its moment. */
interface Waiting {
  readonly least: number;
  readonly reached: () => void;
  patience: number;
}

/** Frames that may pass while a frame is waited for that leaves enough unanswered. */
const PATIENCE = 200;

/**
 * The publisher's connections, watched from outside of its client: what is on its way, and what was answered how. On demand it
 * holds back what the server sends, so that a kill meets answers on their way: they are lost with the connection, as on a
 * network that is slow for a moment.
 */
export class PublisherWire {
  readonly connect: Connect;
  /** Publishes whose answer said that an earlier attempt had stored them: answered from the log's marks. */
  answeredFromMarks = 0;
  /** Ids of publishes that were sent on the present connection and have no answer, as the client knows. */
  readonly #unacknowledged = new Set<number>();
  /** Answers that came and are held back. */
  #held = 0;
  #waiting: Waiting | undefined;

  constructor(connect: Connect) {
    this.connect = (url, subprotocol, events) => {
      this.#unacknowledged.clear();
      this.#held = 0;
      const socket = connect(url, subprotocol, {
        opened: () => events.opened(),
        frame: (frame) => {
          if (this.#received(frame)) events.frame(frame);
        },
        closed: (code, reason) => events.closed(code, reason),
      });
      return {
        send: (frame) => {
          for (const { type, id } of messagesOf(frame)) {
            if (type === "publish" && id !== undefined) this.#unacknowledged.add(id);
          }
          socket.send(frame);
        },
        close: (code, reason) => socket.close(code, reason),
      };
    };
  }

  /** Publishes on their way that the client has no answer to. */
  get unacknowledged(): number {
    return this.#unacknowledged.size;
  }

  /** Those of them to which no answer has come, held back or not. */
  get unanswered(): number {
    return this.#unacknowledged.size - this.#held;
  }

  /**
   * Holds back the next frame with answers that leaves at least `least` publishes unanswered, and all that comes after it on
   * the connection; then calls `reached`, at once. Should 200 frames in a row leave fewer, one that finds so many
   * unacknowledged will do.
   */
  hold(least: number, reached: () => void): void {
    this.#waiting = { least, reached, patience: PATIENCE };
  }

  /** @returns whether the client may have it */
  #received(frame: Encoded): boolean {
    if (this.#held > 0) return false;
    const answers = messagesOf(frame).filter(({ type }) => type === "published");
    if (answers.length > 0 && this.#waiting && this.#holds(answers.length, this.#waiting)) return false;
    for (const { id, duplicate } of answers) {
      if (id !== undefined) this.#unacknowledged.delete(id);
      if (duplicate) this.answeredFromMarks++;
    }
    return true;
  }

  #holds(answers: number, waiting: Waiting): boolean {
    const enough = waiting.patience-- > 0 ? this.#unacknowledged.size - answers : this.#unacknowledged.size;
    if (enough < waiting.least) return false;
    this.#held = answers;
    this.#waiting = undefined;
    waiting.reached();
    return true;
  }
}

/** The messages of a frame, in the form that the protocol gives them. */
function messagesOf(frame: Encoded): Message[] {
  return jsonCodec.decode(frame) as Message[];
}
