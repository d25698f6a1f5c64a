import type { Grants, Viewer } from "@tandem/app";
import type { Hello } from "@tandem/protocol";

/** Who a connection is, once it has said so. */
export interface Identity extends Viewer {
  readonly grants: Grants;
  /** When it ends, in milliseconds since 1970; `undefined` for guests. */
  readonly expires: number | undefined;
  /** When its token was made, in milliseconds since 1970 (for revocation). A guest's: when it said who it is. */
  readonly issued: number;
  /** The token's own id (`jti`), where it has one. */
  readonly token: string | undefined;
}

/** The credentials of a `hello` or a `refresh`. */
export type Credentials = Pick<Hello, "token" | "guest">;

/** The port that tells who someone is: JWT or JWKS, later API keys and tickets; a table of names in simulation. */
export interface Authenticator {
  /**
   * @throws TandemError `token-invalid`, `token-expired`, `guests-not-admitted`; `bad-message` unless exactly one of
   *   `token` and `guest` is given; `keys-unavailable` when the keys to check it with cannot be fetched now
   */
  authenticate(credentials: Credentials): Promise<Identity>;
}
