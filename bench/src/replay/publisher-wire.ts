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
 * What is on its way when the connection is cut: answers to publishes that are stored, or publishes that the server cannot
 * have stored yet.
 */
export type UnderWay = "answers" | "publishes";

/** A cut that waits for its moment. */
interface Cut {
  readonly underWay: UnderWay;
  readonly least: number;
  readonly reached: () => void;
  patience: number;
}

/** Frames that may pass while one is waited for that leaves enough under way. */
const PATIENCE = 200;

/**
 * The publisher's connections, watched from outside of its client: what is on its way, and what was answered how. On demand a
 * connection is cut at a chosen moment: from then on nothing that the server has sent reaches the client.
 */
export class PublisherWire {
  readonly connect: Connect;
  /** Publishes whose answer said that an earlier attempt had stored them: answered from the log's marks. */
  answeredFromMarks = 0;
  /** Ids of publishes that were sent on the present connection and have no answer, as the client knows. */
  readonly #unacknowledged = new Set<number>();
  #isCut = false;
  #cut: Cut | undefined;

  constructor(connect: Connect) {
    this.connect = (url, subprotocol, events) => {
      this.#unacknowledged.clear();
      this.#isCut = false;
      const socket = connect(url, subprotocol, {
        opened: () => events.opened(),
        frame: (frame) => {
          if (this.#received(frame)) events.frame(frame);
        },
        closed: (code, reason) => events.closed(code, reason),
      });
      return {
        send: (frame) => {
          socket.send(frame);
          this.#sent(frame);
        },
        close: (code, reason) => socket.close(code, reason),
      };
    };
  }

  /** Publishes on their way to which the client has no answer. */
  get unacknowledged(): number {
    return this.#unacknowledged.size;
  }

  /**
   * Cuts the connection once at least `least` publishes are unacknowledged and, with `answers`, an answer to some of them has just
   * come in (the client does not get it); with `publishes`, at least `least` have just been sent in one frame. Should 200 frames
   * pass without such a frame, `least` unacknowledged ones will do. Calls `reached` in the same turn.
   */
  cut(underWay: UnderWay, least: number, reached: () => void): void {
    this.#cut = { underWay, least, reached, patience: PATIENCE };
  }

  #sent(frame: Encoded): void {
    const publishes = messagesOf(frame).filter(({ type }) => type === "publish");
    for (const { id } of publishes) if (id !== undefined) this.#unacknowledged.add(id);
    if (publishes.length > 0) this.#comes("publishes", publishes.length);
  }

  /** @returns whether the client may have it */
  #received(frame: Encoded): boolean {
    const answers = messagesOf(frame).filter(({ type }) => type === "published");
    if (answers.length > 0) this.#comes("answers", this.#unacknowledged.size);
    if (this.#isCut) return false;
    for (const { id, duplicate } of answers) {
      if (id !== undefined) this.#unacknowledged.delete(id);
      if (duplicate) this.answeredFromMarks++;
    }
    return true;
  }

  /** Something of a kind that a cut may wait for. */
  #comes(kind: UnderWay, count: number): void {
    const cut = this.#cut;
    if (cut?.underWay !== kind || this.#isCut) return;
    const enough = cut.patience-- > 0 ? count : this.#unacknowledged.size;
    if (enough < cut.least) return;
    this.#isCut = true;
    this.#cut = undefined;
    cut.reached();
  }
}

/** The messages of a frame, in the form that the protocol gives them. */
function messagesOf(frame: Encoded): Message[] {
  return jsonCodec.decode(frame) as Message[];
}
