/** What is published in a room: the input of the event `message` in `tandem.config.ts`. */
export interface MessageData {
  readonly text: string;
  readonly name: string;
}

/** The longest text of a message, in UTF-16 code units, as the schema counts. */
export const TEXT_LIMIT = 2000;

/** How far an own message has come. In the log means `durable`; nothing else does. */
export type Delivery =
  | { readonly kind: "queued" }
  | { readonly kind: "sent" }
  | { readonly kind: "durable" }
  | { readonly kind: "rejected"; readonly code: string; readonly reason: string; readonly retryable: boolean }
  | { readonly kind: "unknown"; readonly reason: string };

/** An event of the room's log. */
export interface Message {
  /** Names its row on the page: that of the draft which it was here, or the event's id. */
  readonly key: string;
  /** The event's id: the same that its publication had. */
  readonly id: string;
  readonly offset: number;
  /** Milliseconds since 1970, by the server. */
  readonly time: number;
  /** The user who published it. */
  readonly author: string | undefined;
  readonly name: string;
  /** Undefined once it was erased from the log. */
  readonly text: string | undefined;
}

/** A message written here that has not been seen in the log yet. */
export interface Draft {
  /** Names its row on the page from the moment it is written. */
  readonly key: string;
  /** The id that its event will have. Not known before it is first sent. */
  readonly id: string | undefined;
  /** When it was written, in milliseconds since 1970, by this machine. */
  readonly time: number;
  readonly name: string;
  readonly text: string;
  readonly delivery: Delivery;
}

/** The parts of an event that a room reads. */
export interface RoomEvent {
  readonly offset: number;
  readonly id: string;
  readonly type: string;
  readonly time: number;
  readonly author?: string | undefined;
  readonly data?: unknown;
}

/** Reads an event. What another version of the page may have published is shown as far as it can be read. */
export function messageOf(event: RoomEvent): Message {
  const data: Partial<Record<keyof MessageData, unknown>> =
    typeof event.data === "object" && event.data !== null ? event.data : {};
  return {
    key: event.id,
    id: event.id,
    offset: event.offset,
    time: event.time,
    author: event.author,
    name: typeof data.name === "string" ? data.name : "Somebody",
    text: typeof data.text === "string" ? data.text : undefined,
  };
}
