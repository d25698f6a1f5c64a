import type { StreamState } from "@tandem/model";
import type { Broken, ModelFact } from "./broken.ts";
import { broken } from "./broken.ts";

/** M24: one writer, chunks in their places, and one end. */
export function streamBroken(
  { type, data, author, time }: ModelFact,
  { status, count }: StreamState,
): Broken | undefined {
  const wrong = () => broken("M24", `${type} of a stream that is ${status.kind}`);
  switch (type) {
    case "opened":
      return status.kind === "unopened" ? undefined : wrong();
    case "appended":
    case "renewed":
    case "finished":
      if (status.kind !== "open") return wrong();
      if (author !== status.writer.user) return broken("M24", `${author} writes the stream of ${status.writer.user}`);
      return type === "appended" && data.at !== count
        ? broken("M24", `chunk ${data.at} is stored after ${count}`)
        : undefined;
    case "stopping":
      return status.kind === "open" ? undefined : wrong();
    case "lapsed":
      return status.kind === "open" && time >= status.writer.until ? undefined : wrong();
    case "aborted":
      return status.kind === "open" || status.kind === "lost" ? undefined : wrong();
    default:
      return status.kind === "finished" || status.kind === "aborted" ? undefined : wrong();
  }
}
