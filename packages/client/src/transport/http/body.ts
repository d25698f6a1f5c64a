import type { Limits } from "@tandem/protocol";
import { FRAME_END } from "@tandem/protocol";
import { byteLength } from "../../connection/sender.ts";

/** What a server takes in one frame. */
export type FrameLimits = Pick<Limits, "frameBytes" | "frameMessages">;

/** Before the server has told its limits, nothing but `hello` is sent. */
export const UNTOLD: FrameLimits = { frameBytes: 1_024, frameMessages: 1 };

/** Messages as the frames of a body, each within the server's limits. */
export function bodyOf(messages: readonly object[], { frameBytes, frameMessages }: FrameLimits): string {
  const frames: string[][] = [];
  let frame: string[] = [];
  let bytes = 2;
  for (const message of messages) {
    const text = JSON.stringify(message);
    const more = byteLength(text) + 1;
    if (frame.length > 0 && (bytes + more > frameBytes || frame.length >= frameMessages)) {
      frames.push(frame);
      frame = [];
      bytes = 2;
    }
    frame.push(text);
    bytes += more;
  }
  return [...frames, frame].map((texts) => `[${texts.join(",")}]`).join(FRAME_END);
}
