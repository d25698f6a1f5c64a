import type { ClientMessageInput, Encoded, FrameCodec, Limits } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";

const utf8 = new TextEncoder();

/** Bytes that a message takes on the wire. */
export function byteLength(encoded: Encoded): number {
  return typeof encoded === "string" ? utf8.encode(encoded).length : encoded.length;
}

interface SenderPorts {
  readonly runtime: Runtime;
  readonly codec: FrameCodec;
  write(frame: Encoded): void;
  /** Called before a turn's frames are made, to post what else is due. */
  fill(): void;
}

/** Before the server has told its limits, nothing but `hello` is sent. */
const UNTOLD = { frameBytes: 1_024, frameMessages: 1 };

/** Gathers what is to be sent in one turn, and sends it in as few frames as the server's limits allow. */
export class Sender {
  readonly #ports: SenderPorts;
  #limits: Pick<Limits, "frameBytes" | "frameMessages"> = UNTOLD;
  #messages: Encoded[] = [];
  #scheduled = false;
  #stopped = false;

  constructor(ports: SenderPorts) {
    this.#ports = ports;
  }

  set limits(limits: Pick<Limits, "frameBytes" | "frameMessages">) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  post(message: ClientMessageInput): void {
    this.postEncoded(this.#ports.codec.encode(message));
  }

  postEncoded(message: Encoded): void {
    this.#messages.push(message);
    this.schedule();
  }

  /** Sends at the end of this turn. */
  schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#ports.runtime.defer(() => {
      if (this.#stopped) return;
      this.#ports.fill();
      this.#scheduled = false;
      this.#flush();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#messages = [];
  }

  #flush(): void {
    const messages = this.#messages;
    this.#messages = [];
    let frame: Encoded[] = [];
    let bytes = 2;
    for (const message of messages) {
      const more = byteLength(message) + 1;
      if (frame.length > 0 && (bytes + more > this.#limits.frameBytes || frame.length >= this.#limits.frameMessages)) {
        this.#ports.write(this.#ports.codec.join(frame));
        frame = [];
        bytes = 2;
      }
      frame.push(message);
      bytes += more;
    }
    if (frame.length > 0) this.#ports.write(this.#ports.codec.join(frame));
  }
}
