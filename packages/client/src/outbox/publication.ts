import type { ClientMessageInput, Position, TandemError } from "@tandem/protocol";
import { eventId } from "@tandem/protocol";
import type { Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";
import { ownRefusal } from "../connection/refusal.ts";

/** What has become of a publish. The last three are final. */
export type PublicationStatus =
  | { readonly kind: "queued" }
  /** On its way; after a lost connection it is sent again. */
  | { readonly kind: "sent" }
  /** Stored at `position`. `duplicate`: by an earlier attempt, whose answer was lost. */
  | { readonly kind: "durable"; readonly position: Position; readonly duplicate: boolean }
  /** Not stored, and never will be. */
  | { readonly kind: "rejected"; readonly error: TandemError }
  /** It cannot be told whether it was stored. */
  | { readonly kind: "unknown"; readonly error: TandemError };

export type Settlement = Exclude<PublicationStatus, { kind: "queued" | "sent" }>;

/** One publish, from the call to its end. */
export interface Publication<N extends string = string, D = unknown> {
  /** The id that its event has (`undefined` until it is first sent): by it a client knows its own events when they come back. */
  readonly id: string | undefined;
  readonly event: N;
  readonly data: D;
  readonly status: Store<PublicationStatus>;
  /** Resolves with the event's position; rejects with a `TandemError` once it is rejected or unknown. May be left unwatched. */
  readonly durable: Promise<Position>;
}

type Unnumbered<M> = M extends unknown ? Omit<M, "id" | "channel" | "producer" | "seq"> : never;

/** What is asked of the server, before it has its number. */
export type Write = Unnumbered<Extract<ClientMessageInput, { type: "publish" | "command" }>>;

/** A publish in the outbox, or a command: what is said here of the event and its data holds for the command and its input. */
export class Entry implements Publication {
  readonly event: string;
  readonly data: unknown;
  /** The payload's JSON as it was at the call: every attempt sends the same. Empty where it has none. */
  readonly body: string;
  /** What is sent, of the payload. */
  readonly write: (data: unknown) => Write;
  readonly status: Cell<PublicationStatus>;
  readonly durable: Promise<Position>;
  /** The sequence number it goes by, once it was sent. */
  producer = "";
  seq = 0;
  attempts = 0;
  #settle: (settlement: Settlement) => void = () => {};

  constructor(event: string, data: unknown, write: Entry["write"], onError: (error: unknown) => void) {
    this.event = event;
    this.data = data;
    this.body = jsonOf(data);
    this.write = write;
    this.status = new Cell<PublicationStatus>({ kind: "queued" }, onError);
    this.durable = new Promise((resolve, reject) => {
      this.#settle = (settlement) =>
        settlement.kind === "durable" ? resolve(settlement.position) : reject(settlement.error);
    });
    // Who watches the status alone shall not be troubled by a rejection that nobody handles.
    this.durable.catch(() => undefined);
  }

  get id(): string | undefined {
    return this.seq === 0 ? undefined : eventId(this.producer, this.seq, 0);
  }

  settle(settlement: Settlement): void {
    this.#settle(settlement);
    this.status.set(settlement);
  }

  /** Ends it with the client: what was sent may have been stored. */
  abandon(): void {
    const error = ownRefusal("closed");
    this.settle({ kind: this.attempts > 0 ? "unknown" : "rejected", error });
  }
}

/** A value's JSON; empty where it has none. */
export function jsonOf(data: unknown): string {
  try {
    return JSON.stringify(data) ?? "";
  } catch {
    return "";
  }
}
