import type { ChannelEvent } from "@tandem/protocol";
import type { Environment } from "@tandem/server";
import { CommandError, EXIT } from "../exit.ts";
import type { Output } from "../output.ts";
import { printable } from "../output.ts";
import type { SessionOptions } from "../session.ts";
import { openSession, parseChannel } from "../session.ts";
import { wholeNumber } from "../whole-number.ts";

export interface TailOptions extends SessionOptions {
  readonly last: string;
  readonly count?: string;
}

/** So many events of a channel's end a subscription may begin with. */
const MOST_LAST = 10_000;

/** Shows a channel's events as they come, over lost connections, until it is stopped or has shown enough. */
export async function tail(
  channel: string,
  options: TailOptions,
  environment: Environment,
  output: Output,
): Promise<void> {
  const { type, id } = parseChannel(channel);
  const last = wholeNumber("--last", options.last, 0, MOST_LAST);
  let left = options.count === undefined ? Number.POSITIVE_INFINITY : wholeNumber("--count", options.count, 1);
  const session = openSession(options, environment);
  try {
    const enough = new Promise<void>((resolve, reject) => {
      session.client.channel(type, id).subscribe({
        ...(last > 0 ? { from: { last } } : {}),
        onEvents(events) {
          for (const event of events as readonly ChannelEvent[]) {
            if (left-- > 0) output.result({ channel, ...event }, line(event));
            if (left === 0) return resolve();
          }
        },
        onReset: (reason) => output.note(`The history does not go on from here (${reason}): what follows is after it.`),
        onError: (error) => reject(new CommandError(error.message, EXIT.refused, error.code)),
      });
      process.once("SIGINT", resolve);
      process.once("SIGTERM", resolve);
    });
    await Promise.race([enough, session.refused]);
  } catch (error) {
    if (error instanceof RangeError) throw new CommandError(error.message, EXIT.usage);
    throw error;
  } finally {
    await session.close();
  }
}

function line({ offset, time, type, author, data, redacted }: ChannelEvent): string {
  const shown = redacted ? "(redacted)" : JSON.stringify(data);
  return printable(`${offset}  ${new Date(time).toISOString()}  ${author ?? "-"}  ${type}  ${shown}`);
}
