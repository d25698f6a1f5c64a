import type { PresenceDefinition } from "@tandem/app";
import type { Logger } from "@tandem/runtime";

/** Where a member is, by its state as JSON text. */
export type Near = (state: string | undefined) => string | undefined;

/** The channel type's `near`, kept from doing harm: where it throws, or answers anything but a text, the member is nowhere. */
export function guardedNear({ near }: PresenceDefinition, logger: Logger): Near {
  if (!near) return () => undefined;
  return (state) => {
    if (state === undefined) return undefined;
    try {
      const answer: unknown = near(JSON.parse(state));
      return typeof answer === "string" ? answer : undefined;
    } catch (error) {
      logger.error({ error, noise: "near" }, "a channel type's near function failed");
      return undefined;
    }
  };
}
