import type { ErrorCode, Hello } from "@tandem/protocol";
import { errorOf } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Authenticator, Credentials, Identity } from "../access/authenticator.ts";
import type { Instance } from "./session.ts";

/** What letting people in stands on. */
export interface AdmittancePorts {
  readonly authenticator: Authenticator;
  readonly runtime: Pick<Runtime, "now">;
  /** A one-way digest, as base64url. */
  digest(text: string): string;
  /** Why this identity may not come in (it was revoked), if so. */
  refusalOf(identity: Identity): ErrorCode | undefined;
}

/** Letters of a device's name. */
const DEVICE_LETTERS = 12;

/** Who brings these credentials. @throws TandemError (by rejection) where that is nobody who may come in */
export async function identify(ports: AdmittancePorts, credentials: Credentials): Promise<Identity> {
  const identity = await ports.authenticator.authenticate(credentials);
  check(ports, identity);
  return identity;
}

/** @throws TandemError where this identity may not, or not any more, come in */
export function check({ runtime, refusalOf }: AdmittancePorts, identity: Identity): void {
  const refusal = refusalOf(identity);
  if (refusal) throw errorOf(refusal);
  if (isOver(identity, runtime.now())) throw errorOf("token-expired");
}

/** Has its token ended? `now`: milliseconds since 1970. */
export function isOver({ expires }: Identity, now: number): boolean {
  return expires !== undefined && now >= expires;
}

/** Who knows a device's secret is that device; its name tells nothing of it. */
export function instanceOf(
  { digest }: AdmittancePorts,
  { instance }: Hello,
  { tenant, user }: Identity,
  side: boolean,
): Instance | undefined {
  if (!instance) return undefined;
  const device = digest(`${tenant}/${user}/${instance.secret}`).slice(0, DEVICE_LETTERS);
  return { device, connection: instance.connection, side };
}
