import type { Connect } from "@tandem/client";
import type { Encoded } from "@tandem/protocol";
import { jsonCodec } from "@tandem/protocol";

/** What the wire needs to know of a message. */
interface Message {
  readonly type: string;
  readonly id?: number;
  readonly duplicate?: boolean;
}

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
  /** Answers that the server gave and that are held back. */
  #held = 0;
  #holding = false;
  #watcher: (() => void) | undefined;

  constructor(connect: Connect) {
    this.connect = (url, subprotocol, events) => {
      this.#begin();
      const socket = connect(url, subprotocol, {
        ...events,
        opened: () => events.opened(),
        frame: (frame) => this.#received(frame) && events.frame(frame),
        closed: (code, reason) => events.closed(code, reason),
      });
      return {
        send: (frame) => {
          this.#sent(frame);
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

  /** Those of them that the server has not answered either, as far as anything of it has arrived. */
  get unanswered(): number {
    return this.#unacknowledged.size - this.#held;
  }

  /**
   * Holds back all that comes until the connection ends. Resolves, within the turn in which it happens, once an answer is
   * held back and at least `least` publishes are unacknowledged.
   */
  hold(least: number, reached: () => void): void {
    this.#holding = true;
    this.#watcher = () => {
      if (this.#held === 0 || this.#unacknowledged.size < least) return;
      this.#watcher = undefined;
      reached();
    };
  }

  #begin(): void {
    this.#holding = false;
    this.#held = 0;
    this.#unacknowledged.clear();
  }

  #sent(frame: Encoded): void {
    for (const { type, id } of messagesOf(frame)) {
      if (type === "publish" && id !== undefined) this.#unacknowledged.add(id);
    }
    this.#watcher?.();
  }

  /** @returns whether the client may have it */
  #received(frame: Encoded): boolean {
    for (const { type, id, duplicate } of messagesOf(frame)) {
      if (type !== "published" || id === undefined) continue;
      if (this.#holding) this.#held++;
      else {
        this.#unacknowledged.delete(id);
        if (duplicate) this.answeredFromMarks++;
      }
    }
    this.#watcher?.();
    return !this.#holding;
  }
}

/** The messages of a frame, in the form that the protocol gives them. */
export function messagesOf(frame: Encoded): Message[] {
  return jsonCodec.decode(frame) as Message[];
}
