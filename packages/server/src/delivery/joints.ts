import type { Codec } from "@tandem/protocol";
import type { Frame } from "./frame.ts";
import type { Outgoing } from "./message.ts";
import { joined } from "./message.ts";

interface Joint {
  readonly codec: Codec;
  readonly messages: readonly Outgoing[];
  readonly frame: Frame;
}

/**
 * The frames that were joined in one turn. Connections that are sent the same messages, as the subscribers of one channel are,
 * share one frame. Kept by first message, the latest only: those who differ make their own.
 */
export class Joints {
  readonly #latest = new Map<Outgoing, Joint>();

  /** @param messages two at least */
  join(codec: Codec, messages: readonly Outgoing[]): Frame {
    const first = messages[0] as Outgoing;
    const known = this.#latest.get(first);
    if (known && known.codec === codec && isSame(known.messages, messages)) return known.frame;
    const frame = joined(codec, messages);
    this.#latest.set(first, { codec, messages, frame });
    return frame;
  }

  /** The turn is over. */
  clear(): void {
    this.#latest.clear();
  }
}

function isSame(a: readonly Outgoing[], b: readonly Outgoing[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
