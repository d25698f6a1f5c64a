import type { ChannelEvent, Codec, Encoded, StoredEvent } from "@tandem/protocol";

/** Bytes of an event beside its payload, about. */
export const EVENT_HEAD = 120;

/** A stored event on its way to many: encoded once per codec, whoever reads it, live or as replay. */
export class SharedEvent {
  readonly stored: StoredEvent;
  /** Tag of the position after it. */
  readonly tag: string;
  /** Offset of the first event of its append. */
  readonly run: number;
  /** Bytes it takes in a message, about: for budgets. */
  readonly size: number;
  #json: Encoded | undefined;
  #msgpack: Encoded | undefined;
  #value: ChannelEvent | undefined;

  constructor(stored: StoredEvent, tag: string, run: number) {
    this.stored = stored;
    this.tag = tag;
    this.run = run;
    this.size = Buffer.byteLength(stored.data ?? "") + EVENT_HEAD;
  }

  get type(): string {
    return this.stored.type;
  }

  /** The payload as a value, null once it was erased. Parsed once; treat as frozen. */
  get data(): unknown {
    return this.value.data;
  }

  encoded<E extends Encoded>(codec: Codec<E>): E {
    if (codec.name === "json") {
      this.#json ??= codec.encodeEvent(this.stored);
      return this.#json as E;
    }
    this.#msgpack ??= codec.encodeEvent(this.stored);
    return this.#msgpack as E;
  }

  /** The event as a value, for those who look into it (`visible`, the application). Parsed once; treat as frozen. */
  get value(): ChannelEvent {
    if (!this.#value) {
      const { offset, id, type, version, time, author, trace, data } = this.stored;
      this.#value = {
        offset,
        id,
        type,
        time,
        data: data === undefined ? null : JSON.parse(data),
        ...(version === 1 ? {} : { version }),
        ...(author === undefined ? {} : { author }),
        ...(trace === undefined ? {} : { trace }),
        ...(data === undefined ? { redacted: true as const } : {}),
      };
    }
    return this.#value;
  }
}
