/** Under the WebSocket's path: where a client asks for what comes down, and where it sends what goes up. */
export const HTTP_PATHS = { stream: "/stream", send: "/send" } as const;

/** Bytes that separate the frames of a body. JSON never has one of its own: a line break in a text is escaped. */
export const FRAME_END = "\n";

/** Most frames in the body of one request. */
export const BODY_FRAMES = 16;

/** Milliseconds of silence after which a stream sends a line that says nothing. */
export const HEARTBEAT_MS = 10_000;

/** Milliseconds after which a response ends at the latest: less than the 30 seconds that many proxies allow. */
export const RESPONSE_MS = 25_000;

/** The last message of a response whose connection did not end in good order: HTTP has no close frame. */
export interface Close {
  readonly type: "close";
  /** As in a WebSocket's close frame. */
  readonly code: number;
  /** A code of the error table. */
  readonly reason: string;
}
