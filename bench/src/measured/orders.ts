/** How fast a server publishes by itself. */
export type Pace =
  /** So many a second, spread evenly; what it cannot keep up with is left out, not made up for. */
  | { readonly kind: "paced"; readonly perSecond: number }
  /** So many in each turn of the event loop. */
  | { readonly kind: "burst"; readonly perTurn: number };

export interface PublishOrder {
  readonly pace: Pace;
  /** Channels that get a publish in turns. */
  readonly channels: readonly string[];
  /** Most publishes that have not reached every receiver: see `Publishing.received`. Left out: no bound. */
  readonly backlog?: number;
}

/** What a benchmark asks of a server that is measured. Each is answered. */
export interface Orders {
  /** What the process has used since it began. */
  usage: { readonly order: undefined; readonly answer: Usage };
  /** Begins to publish. */
  publish: { readonly order: PublishOrder; readonly answer: undefined };
  /** Stops publishing. Answers with the number of publishes of each channel, once all were accepted. */
  stop: { readonly order: undefined; readonly answer: Readonly<Record<string, number>> };
  /** Collects garbage (where the process may) and tells what it holds. */
  collect: { readonly order: undefined; readonly answer: Usage };
  /** Destroys every TCP connection without a word. Answers with how many there were. */
  cut: { readonly order: undefined; readonly answer: number };
  /** Ends the process. */
  end: { readonly order: undefined; readonly answer: undefined };
}

export interface Usage {
  /** CPU time of the process, all threads, user and system. */
  readonly cpuMicros: number;
  readonly rssBytes: number;
  readonly connections: number;
}

/** A question to the server's process, or the word how far receivers are, which is not answered. */
export type ToServer =
  | { readonly kind: "order"; readonly id: number; readonly name: keyof Orders; readonly order: unknown }
  | { readonly kind: "received"; readonly count: number };

export type FromServer =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly kind: "failed"; readonly reason: string };
