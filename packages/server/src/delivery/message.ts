import type { Codec, CodecName, Encoded } from "@tandem/protocol";

/** A message for one connection or for many, made into bytes at most once per codec. */
export interface Outgoing {
  encoded(codec: Codec): Encoded;
  /** A frame of this message alone, as bytes. */
  frame(codec: Codec): Uint8Array;
}

/** Bytes of a frame: text as UTF-8. */
export function toBytes(frame: Encoded): Uint8Array {
  return typeof frame === "string" ? Buffer.from(frame) : frame;
}

/** Length of an encoded message for budgets: exact for bytes; for text, letters stand for bytes. */
export function lengthOf(encoded: Encoded): number {
  return encoded.length;
}

/** A message for one connection or many: `make` runs once per codec, and the frame is made once. */
export class SharedMessage implements Outgoing {
  readonly #make: (codec: Codec) => Encoded;
  readonly #encoded: Partial<Record<CodecName, Encoded>> = {};
  readonly #frames: Partial<Record<CodecName, Uint8Array>> = {};

  constructor(make: (codec: Codec) => Encoded) {
    this.#make = make;
  }

  encoded(codec: Codec): Encoded {
    const encoded = this.#encoded[codec.name] ?? this.#make(codec);
    this.#encoded[codec.name] = encoded;
    return encoded;
  }

  frame(codec: Codec): Uint8Array {
    const frame = this.#frames[codec.name] ?? toBytes(codec.join([this.encoded(codec)]));
    this.#frames[codec.name] = frame;
    return frame;
  }
}

/** A message for one connection. */
export function single(message: object): Outgoing {
  return new SharedMessage((codec) => codec.encode(message));
}
