import type { CodecName, SUBPROTOCOLS } from "./version.ts";

/** A message or a frame in the form its codec sends: text for JSON, bytes for MessagePack. */
export type Encoded = string | Uint8Array;

/** An event's stored form: its payload stays the JSON text that was stored. */
export interface StoredEvent {
  readonly offset: number;
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly time: number;
  readonly author: string | undefined;
  readonly trace: string | undefined;
  /** JSON text of the payload, or `undefined` once it was erased. */
  readonly data: string | undefined;
}

/** Makes frames of messages and messages of frames. A frame carries one message or more, joined as they are. */
export interface FrameCodec<E extends Encoded = Encoded> {
  readonly subprotocol: (typeof SUBPROTOCOLS)[CodecName];
  /** One message. */
  encode(message: object): E;
  /** One frame of one or more messages. */
  join(messages: readonly E[]): E;
  /**
   * The messages of a frame, unchecked.
   *
   * @throws TandemError `bad-frame`
   */
  decode(frame: Encoded): unknown[];
}

/** What a server's side needs beyond: an event is encoded once for all who get it, and frames come from strangers. */
export interface Codec<E extends Encoded = Encoded> extends FrameCodec<E> {
  readonly name: CodecName;
  /** One stored event, ready to stand in `encodeEvents` and `encodePage`. */
  encodeEvent(event: StoredEvent): E;
  /** A message whose field `events` is made of encoded events; `head` is the rest of it. */
  encodeWithEvents(head: object, events: readonly E[]): E;
  /**
   * The messages of a frame, unchecked. `spelled`, where given, is told how many object keys the frame spells out, so
   * that a key given twice is noticed.
   *
   * @throws TandemError `bad-frame`
   */
  decode(frame: Encoded, spelled?: KeyCount): unknown[];
}

export interface KeyCount {
  keys: number;
}
