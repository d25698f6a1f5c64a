import type { ErrorCode } from "@tandem/protocol";
import type { TransportName } from "../transport/connect.ts";

/** How the client stands to the server. */
export type Status =
  /** A try is under way. `attempt` counts from 1 since the last connection that held. */
  | { readonly kind: "connecting"; readonly attempt: number }
  /** `since`: milliseconds since 1970. `latency`: the last measured round trip in milliseconds. `transport`: what carries it. */
  | {
      readonly kind: "connected";
      readonly since: number;
      readonly latency?: number | undefined;
      readonly transport?: TransportName | undefined;
    }
  /** `attempt` tries failed; the next comes at `nextTry` (milliseconds since 1970). `reason` is why the last one failed. */
  | {
      readonly kind: "reconnecting";
      readonly attempt: number;
      readonly nextTry: number;
      readonly reason?: ErrorCode | undefined;
    }
  /** There is no network, or the application asked to be away. */
  | { readonly kind: "offline" }
  /** The token has ended. The queue is kept, and a fresh token is being asked for; `reason` is why there is none yet. */
  | { readonly kind: "needs-auth"; readonly reason: ErrorCode }
  /** The server does not want this client back as it is. `connect()` or `authenticate()` tries again. */
  | { readonly kind: "blocked"; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: "closed" };

/** Who the server says this client is. */
export interface Identity {
  readonly user: string;
  readonly tenant: string;
  readonly name: string | undefined;
  /** Names the present connection in the operator's logs. */
  readonly connection: string;
}
