import type { Right } from "@tandem/app";
import type { Identity } from "@tandem/server/core";

/** Does a token give this right on a channel? */
export function has({ grants }: Identity, channel: string, right: Right): boolean {
  return Object.entries(grants).some(
    ([pattern, rights]) =>
      (pattern === channel || (pattern.endsWith("*") && channel.startsWith(pattern.slice(0, -1)))) &&
      rights.some((given) => given === right || given === "admin"),
  );
}
