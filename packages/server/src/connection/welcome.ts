import type { FollowingList, Limits } from "@tandem/protocol";
import type { Identity } from "../access/authenticator.ts";
import type { Outgoing } from "../delivery/message.ts";
import { single } from "../delivery/message.ts";

/** The answer to `hello` and to `refresh`. */
export function welcomeMessage(
  id: number,
  connection: string,
  { user, tenant, name, expires }: Identity,
  time: number,
  limits: Limits,
  { device, following }: { readonly device: string | undefined; readonly following: FollowingList },
): Outgoing {
  return single({
    type: "welcome",
    id,
    connection,
    user,
    tenant,
    ...(name === undefined ? {} : { name }),
    time,
    ...(expires === undefined ? {} : { expires }),
    limits,
    ...(device === undefined ? {} : { device }),
    following,
  });
}
