import type { ErrorCode, Filter, Position } from "@tandem/protocol";

/** A guarantee that was broken, as the checker tells it. */
export interface Violation {
  /** `G1` … `G14` of the specification, or what the simulator itself relies on. */
  readonly rule: string;
  /** Virtual milliseconds since the schedule's start. */
  readonly at: number;
  readonly text: string;
}

/** How a publish ended, as its publisher was told. */
export type Verdict =
  | { readonly kind: "ok"; readonly position: Position }
  | { readonly kind: "fail"; readonly code: ErrorCode }
  /** It may have taken effect, and its publisher was told just that (or nothing: its process is gone). */
  | { readonly kind: "unknown"; readonly code: ErrorCode | "crash" };

/** One publish by a client or by the application: invoked once, settled at most once. */
export interface Publish {
  /** Stands in the payload: tells the event from all others. */
  readonly n: number;
  /** The instance that published it. */
  readonly by: string;
  /** `tenant/type:id`. */
  readonly channel: string;
  /** JSON text of the payload. */
  readonly data: string;
  readonly invokedAt: number;
  /** The status as it went, beginning with the first. */
  readonly statuses: string[];
  settledAt: number | undefined;
  verdict: Verdict | undefined;
  /** The only honest ends: `undefined` where anything that is true may be said. */
  readonly due: ErrorCode | undefined;
}

/** What a reader was given, in order. */
export type Given =
  /** It stands at `position`; from here on nothing may be missing. `reset`: what it held is to be fetched anew. */
  | { readonly kind: "start"; readonly at: number; readonly position: Position; readonly reset: boolean }
  | {
      readonly kind: "event";
      readonly at: number;
      readonly offset: number;
      readonly id: string;
      readonly version?: number | undefined;
      readonly data: unknown;
    }
  /** It says that it stands here: nothing for its eyes lies between the last event and this. */
  | { readonly kind: "stand"; readonly at: number; readonly position: Position };

/** One reading of one channel through the client's (or the application's) own interface. */
export interface Reader {
  readonly by: string;
  /** Whose eyes: `undefined` for the application, which sees everything. */
  readonly user: string | undefined;
  /** What they ask for of it; `undefined`: everything. */
  readonly filter: Filter | undefined;
  readonly channel: string;
  readonly given: Given[];
  /** When it was ended by its reader or died with it. */
  endedAt: number | undefined;
}

/** A page of the newest history: it must show what its reader has written before. */
export interface WitnessedRead {
  readonly by: string;
  readonly channel: string;
  readonly invokedAt: number;
  readonly answeredAt: number;
  readonly epoch: string;
  /** Offset of the oldest event that it covers; it reaches to the head. */
  readonly from: number;
  /** Offsets of the events that it shows. */
  readonly shown: readonly number[];
}

/** Everything that was asked of the system and everything that it said, as it happened. */
export class History {
  readonly publishes: Publish[] = [];
  readonly readers: Reader[] = [];
  readonly reads: WitnessedRead[] = [];
  readonly violations: Violation[] = [];
  #number = 0;

  /** A number for a publish. */
  number(): number {
    return ++this.#number;
  }

  invoke(publish: Omit<Publish, "statuses" | "settledAt" | "verdict">): Publish {
    const invoked = { ...publish, statuses: [], settledAt: undefined, verdict: undefined };
    this.publishes.push(invoked);
    return invoked;
  }

  /** The first verdict stands; a second one is a violation. */
  settle(publish: Publish, at: number, verdict: Verdict): void {
    if (publish.verdict) {
      this.violate("G14", at, `publish ${publish.n} was settled twice: ${publish.verdict.kind}, then ${verdict.kind}`);
      return;
    }
    publish.verdict = verdict;
    publish.settledAt = at;
  }

  reader(by: string, user: string | undefined, channel: string, filter?: Filter): Reader {
    const reader: Reader = { by, user, filter, channel, given: [], endedAt: undefined };
    this.readers.push(reader);
    return reader;
  }

  violate(rule: string, at: number, text: string): void {
    // One broken thing tends to break many: the first ones tell what it was.
    if (this.violations.length < 50) this.violations.push({ rule, at, text });
  }
}
