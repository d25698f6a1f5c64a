import type { StandardSchemaV1 } from "@standard-schema/spec";

/** Members shown to everybody, where an application says nothing else. */
const SHOWN = 1_000;

/** What members of a channel say of themselves, and which of them are shown where there are very many. */
export interface PresenceInput<P extends StandardSchemaV1 = StandardSchemaV1> {
  /** What a member says of itself. Left out: members say nothing but that they are there. */
  readonly state?: P;
  /** Most devices that everybody is shown, those that came first; `count` tells of the others. Default 1,000. */
  readonly show?: number;
  /**
   * Where a member is, by its state. In a room with more members than `show`, those with the same answer as one's own are shown as well:
   * the page that one reads, the part of a map. Pure; `undefined`: nowhere.
   */
  readonly near?: (state: StandardSchemaV1.InferOutput<P>) => string | undefined;
}

export interface PresenceDefinition {
  readonly state: StandardSchemaV1 | undefined;
  readonly show: number;
  readonly near: ((state: unknown) => string | undefined) | undefined;
}

/** @throws RangeError on a bound that cannot be */
export function toPresenceDefinition<P extends StandardSchemaV1>(input: PresenceInput<P>): PresenceDefinition {
  const { state, show = SHOWN, near } = input;
  if (!Number.isSafeInteger(show) || show < 0) throw new RangeError("presence.show is a whole number from 0");
  return { state, show, near: near as PresenceDefinition["near"] };
}
