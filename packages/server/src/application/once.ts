import type { Position } from "@tandem/protocol";
import { errorOf, TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { fullJitter } from "@tandem/runtime";
import type { Channel } from "../channel/channel.ts";
import { toError } from "../channel/validation.ts";
import type { AppendResult } from "../log/log.ts";
import { APPLICATION, positionAfter } from "../log/log.ts";
import type { Attempt } from "./publisher.ts";

/** What the log cannot take for this long, in milliseconds, is given back. It may take effect all the same. */
const PATIENCE_MS = 30_000;

/**
 * Appends under a producer of its own, which others may know as well: whoever of them comes first settles it for all.
 *
 * @throws TandemError (by rejection) its refusal; `body-mismatch` where another has settled it otherwise; what the log answered last when patience ended
 */
export async function appendOnce(
  attempt: Attempt,
  id: string,
  open: () => Promise<Channel>,
  runtime: Runtime,
): Promise<Position> {
  const producer = { id, user: APPLICATION, seq: 1, digest: attempt.digest };
  const since = runtime.elapsed();
  for (let failures = 0; ; failures++) {
    const answer = await open()
      .then((channel) => attempt.append(channel, producer, undefined))
      .then(settled, (error: unknown) => error);
    if (!(answer instanceof TandemError)) {
      if (answer instanceof Error) throw errorOf("internal", { cause: answer });
      return answer as Position;
    }
    if (!answer.retryable || runtime.elapsed() - since > PATIENCE_MS) throw answer;
    const wait = Math.max(fullJitter(failures, runtime.random(), 100, 2_000), answer.retryAfter ?? 0);
    await new Promise<void>((resolve) => runtime.timer(wait, resolve));
  }
}

function settled(result: AppendResult): Position | TandemError {
  if (result.kind === "committed") return positionAfter(result);
  const outcome = result.kind === "settled" ? result.outcome : result;
  if (outcome.kind === "committed") return outcome.position;
  if (outcome.kind === "refused") return toError(outcome.refusal);
  return errorOf(outcome.kind === "unknown" ? "unknown-outcome" : outcome.kind);
}
