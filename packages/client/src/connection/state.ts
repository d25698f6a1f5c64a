import type { Socket } from "../transport/connect.ts";
import type { Renewal } from "./renewal.ts";
import type { Session } from "./session.ts";
import type { Status } from "./status.ts";

/** A socket with the session on it; `gone` resolves when the socket is. */
export interface Carried {
  readonly socket: Socket;
  readonly session: Session;
  readonly gone: Promise<void>;
}

export interface Live extends Carried {
  readonly kind: "live";
  /** When it was welcomed: of `now`, and of `elapsed`. */
  readonly since: number;
  readonly steadyFrom: number;
  latency: number | undefined;
  /** The server has let go of everything until it gets a fresh token. */
  lapsed: boolean;
  /** Guests have no token to renew. */
  readonly renewal: Renewal | undefined;
  /** The client shall not come back before this time of `elapsed`. */
  notBefore: number;
}

/**
 * away ─▸ opening (token) ─▸ greeting (hello) ─▸ live ─▸ waiting ─▸ opening …
 * Any of them may go to `away`, `blocked` or `closed`.
 */
export type State =
  | { readonly kind: "away" | "blocked" | "closed" }
  | { readonly kind: "waiting"; readonly notBefore: number; readonly status: Status }
  | { readonly kind: "opening"; giveUp(): void }
  | (Carried & { readonly kind: "greeting"; readonly hello: number })
  | Live;
