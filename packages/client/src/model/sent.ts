import type { Reason } from "@tandem/model";
import type { Position, TandemError } from "@tandem/protocol";
import type { Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";
import type { PublicationStatus } from "../outbox/publication.ts";

/** What became of a command. */
export type Settled<R extends Reason = Reason> =
  /** The server accepted it; what it made stands up to `position`. */
  | { readonly kind: "confirmed"; readonly position: Position }
  /** It has no effect: the model refused it, and says why; or it could not be decided at all (`reason` is undefined). */
  | { readonly kind: "rejected"; readonly reason: R; readonly error: TandemError }
  | { readonly kind: "rejected"; readonly reason: undefined; readonly error: TandemError }
  /** It cannot be told whether it took effect. */
  | { readonly kind: "unknown"; readonly error: TandemError };

/** `queued`: it waits for a connection. `sent`: it is on its way; after a lost connection it is sent again. */
export type SentStatus<R extends Reason = Reason> =
  | { readonly kind: "pending"; readonly stage: "queued" | "sent" }
  | Settled<R>;

/** One command, from the call to its end. */
export interface Sent<R extends Reason = Reason> {
  readonly status: Store<SentStatus<R>>;
  /** Resolves with what became of it. Never rejects. */
  readonly settled: Promise<Settled<R>>;
}

/** A command's status as the application sees it. */
export class Sending implements Sent {
  readonly status: Cell<SentStatus>;
  readonly settled: Promise<Settled>;
  #settle: (settled: Settled) => void = () => {};

  constructor(onError: (error: unknown) => void) {
    this.status = new Cell<SentStatus>({ kind: "pending", stage: "queued" }, onError);
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  become(status: SentStatus): void {
    if (status.kind !== "pending") this.#settle(status);
    this.status.set(status);
  }
}

export function statusOf(status: PublicationStatus): SentStatus {
  switch (status.kind) {
    case "queued":
    case "sent":
      return { kind: "pending", stage: status.kind };
    case "durable":
      return { kind: "confirmed", position: status.position };
    case "rejected": {
      const { error } = status;
      return { kind: "rejected", reason: error.code === "rejected" ? error.reason : undefined, error } as Settled;
    }
    case "unknown":
      return status;
  }
}
