import type { Errand, Telling } from "@tandem/model";
import type { Position } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Logger } from "@tandem/runtime";
import type { Application } from "./application.ts";

/** Tells something to another channel under a producer of its own: it takes effect once, whoever has tried before. Rejects as `publish` and `command` do. */
export function tell(application: Application, to: Telling, once: string): Promise<Position> {
  const { channel, user } = to;
  if ("event" in to)
    return application.publish(channel, to.event, to.data, { once, ...(user !== undefined && { author: user }) });
  return application
    .model(channel, to.model)
    .command(to.command, to.input, { once, ...(user !== undefined && { user }) });
}

/**
 * Does what has to be done before a deadline of a model in `channel` acts. What is refused for good is over with that.
 *
 * @throws TandemError (by rejection) where it failed for the moment: the deadline has to wait
 * @returns whether the deadline still is to act: not where the whole channel went
 */
export async function run(errand: Errand, application: Application, channel: string, logger: Logger): Promise<boolean> {
  if (errand.kind === "remove") {
    await application.remove(channel);
    return false;
  }
  try {
    await tell(application, errand.to, errand.once);
  } catch (error) {
    if (!(error instanceof TandemError) || error.retryable) throw error;
    // `body-mismatch`: another has told it before, and otherwise.
    if (error.code !== "body-mismatch")
      logger.warn({ error, channel, to: errand.to.channel }, "what a model has to tell is refused");
  }
  return true;
}
