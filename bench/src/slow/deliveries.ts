import type { ServerMessage } from "@tandem/protocol";
import { jsonCodec } from "@tandem/protocol";

/**
 * What one slow reader's deliveries tell of how it is served. Live, a message brings what one commit stored. Whoever catches up reads the
 * log in pieces of many commits: such a message after live ones is a switch.
 */
export class Deliveries {
  /** Times that it went from live to catching up. */
  switches = 0;
  readonly #mostLive: number;
  #catchingUp = false;

  /** @param mostLive more events than this in one message were not stored by one commit */
  constructor(mostLive: number) {
    this.#mostLive = mostLive;
  }

  take(frame: Buffer): void {
    for (const message of jsonCodec.decode(frame.toString()) as ServerMessage[]) {
      if (message.type !== "events") continue;
      const piece = message.to - message.from > this.#mostLive;
      if (piece && !this.#catchingUp) this.switches++;
      this.#catchingUp = piece;
    }
  }
}
