import { text } from "node:stream/consumers";
import { TandemError } from "@tandem/protocol";
import type { Environment } from "@tandem/server";
import { CommandError, EXIT } from "../exit.ts";
import type { Output } from "../output.ts";
import type { SessionOptions } from "../session.ts";
import { openSession, parseChannel } from "../session.ts";
import { wholeNumber } from "../whole-number.ts";

/** Publishes one event, and ends when it is durable. */
export async function publish(
  channel: string,
  event: string,
  data: string,
  options: SessionOptions & { readonly eventVersion?: string },
  environment: Environment,
  output: Output,
): Promise<void> {
  const { type, id } = parseChannel(channel);
  const payload = parse(data === "-" ? await text(process.stdin) : data);
  const { eventVersion } = options;
  const version = eventVersion === undefined ? undefined : wholeNumber("--event-version", eventVersion, 1, 1_000_000);
  const session = openSession(options, environment);
  try {
    const publication = session.client
      .channel(type, id)
      .publish(event, payload, version === undefined ? {} : { version });
    const position = await Promise.race([publication.durable, session.refused]);
    output.result({ channel, position }, `${channel} ${position.offset}`);
  } catch (error) {
    if (error instanceof TandemError) {
      const issues = error.issues?.map(({ path, message }) => `\n  ${path || "(data)"}: ${message}`).join("") ?? "";
      throw new CommandError(`${error.message}${issues}`, EXIT.failure, error.code);
    }
    if (error instanceof RangeError) throw new CommandError(error.message, EXIT.usage);
    throw error;
  } finally {
    await session.close();
  }
}

function parse(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`The data is no JSON. ${reason}`, EXIT.usage);
  }
}
