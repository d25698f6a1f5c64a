import type { Codec, CodecName, Encoded } from "@tandem/protocol";
import { Frame } from "./frame.ts";

/** A message for one connection or for many, made into bytes at most once per codec. */
export interface Outgoing {
  encoded(codec: Codec): Encoded;
  /** Bytes of that on the wire. */
  length(codec: Codec): number;
  /** A frame of this message alone. */
  frame(codec: Codec): Frame;
}

/** A frame of several messages, in order. */
export function joined(codec: Codec, messages: readonly Outgoing[]): Frame {
  return frameOf(codec.join(messages.map((message): Encoded => message.encoded(codec))));
}

function frameOf(encoded: Encoded): Frame {
  return new Frame(typeof encoded === "string" ? Buffer.from(encoded) : encoded);
}

/** A message for one connection or many: `make` runs once per codec, and the frame is made once. */
export class SharedMessage implements Outgoing {
  readonly #make: (codec: Codec) => Encoded;
  readonly #encoded: Partial<Record<CodecName, Encoded>> = {};
  readonly #lengths: Partial<Record<CodecName, number>> = {};
  readonly #frames: Partial<Record<CodecName, Frame>> = {};

  constructor(make: (codec: Codec) => Encoded) {
    this.#make = make;
  }

  encoded(codec: Codec): Encoded {
    const encoded = this.#encoded[codec.name] ?? this.#make(codec);
    this.#encoded[codec.name] = encoded;
    return encoded;
  }

  length(codec: Codec): number {
    const length = this.#lengths[codec.name] ?? Buffer.byteLength(this.encoded(codec));
    this.#lengths[codec.name] = length;
    return length;
  }

  frame(codec: Codec): Frame {
    const frame = this.#frames[codec.name] ?? joined(codec, [this]);
    this.#frames[codec.name] = frame;
    return frame;
  }
}

/** A message for one connection. */
export function single(message: object): Outgoing {
  return new SharedMessage((codec) => codec.encode(message));
}

/** A message that is JSON text already. */
export function ofText(json: string): Outgoing {
  return new SharedMessage((codec) => (codec.name === "json" ? json : codec.encode(JSON.parse(json))));
}
