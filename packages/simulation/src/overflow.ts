import { channelType } from "@tandem/protocol";
import type { Note } from "./app.ts";
import { app } from "./app.ts";
import type { Eyes } from "./eyes.ts";
import { isFor, nameIn } from "./eyes.ts";
import type { Fact, Ledger } from "./ledger.ts";

/** The overflow policy of a channel, by its name. */
function policyOf(channel: string): string | undefined {
  const types: Readonly<Record<string, { readonly overflow: string }>> = app.channels;
  return types[channelType(channel)]?.overflow;
}

/** Is a reader who does not keep up with this channel cut off? */
export function cutsOff(channel: string): boolean {
  return policyOf(channel) === "disconnect";
}

/** D12: was the event replaced by a newer one of its key that is for the same eyes, in a channel where that may be? */
export function isReplaced(eyes: Eyes, fact: Fact, ledger: Ledger): boolean {
  if (policyOf(nameIn(fact.channel)) !== "latest") return false;
  const subject = subjectOf(fact);
  return ledger.after(fact).some((newer) => subjectOf(newer) === subject && isFor(eyes, newer));
}

function subjectOf({ data }: Fact): number {
  return (JSON.parse(data) as Note).about;
}
