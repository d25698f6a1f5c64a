import * as v from "valibot";

const bound = (least: number, most: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most));

/** The bounds that a server tells its clients in `welcome`. Every one is held by the server, known or not. */
export const LimitsSchema = v.object({
  /** Longest frame a client may send, in bytes. */
  frameBytes: bound(1024, 16_777_216),
  /** Most messages in one frame from a client. */
  frameMessages: bound(1, 10_000),
  /** Deepest nesting of any message. */
  depth: bound(4, 256),
  /** Longest payload of one event, in bytes of JSON. */
  eventBytes: bound(64, 16_777_216),
  /** Most subscriptions of one connection. */
  subscriptions: bound(1, 100_000),
  /** Most publishes of one connection that wait for their outcome. Also how many outcomes a producer can ask again for. */
  inFlight: bound(1, 256),
  /** Most requests of other kinds that wait for their answer on one connection. */
  requests: bound(1, 10_000),
  /** Most events of one history page. */
  historyPage: bound(1, 10_000),
  /** Bytes of events that may be on their way to a client without its acknowledgement, before the way is known: see `CreditWindow`. */
  windowBytes: bound(16_384, 16_777_216),
  /** Milliseconds of silence after which either side pings. */
  pingMs: bound(1000, 300_000),
  /** Milliseconds after a ping without any sign of life, after which the connection is given up. */
  pongMs: bound(500, 300_000),
});

export type Limits = v.InferOutput<typeof LimitsSchema>;

export const DEFAULT_LIMITS: Limits = {
  frameBytes: 65_536,
  frameMessages: 512,
  depth: 32,
  eventBytes: 32_768,
  subscriptions: 1_000,
  inFlight: 256,
  requests: 256,
  historyPage: 500,
  windowBytes: 131_072,
  pingMs: 25_000,
  pongMs: 10_000,
};
