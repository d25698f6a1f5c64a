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
  /** Bytes a second that a connection is sent at most, on average; 0: as fast as it takes them. */
  bytesPerSecond: bound(0, 1_000_000_000),
  /** Most channels that one connection watches or has entered. */
  watches: bound(1, 100_000),
  /** Longest presence state, in bytes of JSON. */
  presenceBytes: bound(16, 1_048_576),
  /** Longest signal, in bytes of JSON. */
  signalBytes: bound(16, 65_536),
  /** Most keys of signals in one message, and of one device in one channel. */
  signalKeys: bound(1, 1_000),
  /** Least milliseconds between two signals of one key. */
  signalMs: bound(10, 10_000),
  /** Most durable subscriptions of one user. */
  following: bound(1, 10_000),
  /** Publishes a second, on average and at once: of one connection, one user, one address. */
  publishesPerConnection: bound(1, 10_000_000),
  publishesPerUser: bound(1, 10_000_000),
  publishesPerAddress: bound(1, 10_000_000),
  /** Signals and changes of presence a second, likewise. */
  signalsPerConnection: bound(1, 10_000_000),
  signalsPerUser: bound(1, 10_000_000),
  signalsPerAddress: bound(1, 10_000_000),
  /** Most connections at a time of one user, and from one address. */
  connectionsPerUser: bound(1, 1_000_000),
  connectionsPerAddress: bound(1, 1_000_000),
  /** Guests an hour, on average and at once, that one address may bring and that were not here before. */
  guestsPerAddress: bound(1, 10_000_000),
  /** Milliseconds of silence after which either side pings. */
  pingMs: bound(1000, 300_000),
  /** Milliseconds after a ping without any sign of life, after which the connection is given up. */
  pongMs: bound(500, 300_000),
});

export type Limits = v.InferOutput<typeof LimitsSchema>;

/** What is wrong with these limits, a sentence each; `nameOf` says what a limit is called where they were set. */
export function limitFaults(limits: Limits, nameOf: (limit: keyof Limits) => string): string[] {
  const faults = Object.entries(LimitsSchema.entries).flatMap(([name, schema]) => {
    const [, , least, most] = schema.pipe;
    const limit = name as keyof Limits;
    if (v.is(schema, limits[limit])) return [];
    return [`${nameOf(limit)} is a whole number from ${least.requirement} to ${most.requirement}.`];
  });
  const { eventBytes, frameBytes } = limits;
  if (eventBytes >= frameBytes) {
    faults.push(
      `${nameOf("eventBytes")} (${eventBytes}) must be less than ${nameOf("frameBytes")} (${frameBytes}): an event travels inside a frame.`,
    );
  }
  return faults;
}

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
  bytesPerSecond: 0,
  watches: 200,
  presenceBytes: 4_096,
  signalBytes: 1_024,
  signalKeys: 16,
  signalMs: 50,
  following: 100,
  publishesPerConnection: 500,
  publishesPerUser: 1_000,
  publishesPerAddress: 5_000,
  signalsPerConnection: 200,
  signalsPerUser: 400,
  signalsPerAddress: 10_000,
  connectionsPerUser: 100,
  connectionsPerAddress: 2_000,
  guestsPerAddress: 10_000,
  pingMs: 25_000,
  pongMs: 10_000,
};
