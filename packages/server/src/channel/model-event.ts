import type { ModelEvent } from "@tandem/model";
import type { ChannelEvent } from "@tandem/protocol";
import type { LogEvent } from "../log/log.ts";

/** An event of a channel as one of the model of this name; `undefined` where it is another's, or the channel's own. */
export function modelEvent(name: string, event: ChannelEvent): ModelEvent | undefined {
  if (!event.type.startsWith(`${name}.`)) return undefined;
  return {
    type: event.type.slice(name.length + 1),
    version: event.version ?? 1,
    data: event.redacted ? null : event.data,
    offset: event.offset,
    info: { id: event.id, author: event.author, time: event.time },
  };
}

/** The same of an event as the log keeps it. */
export function storedModelEvent(name: string, event: LogEvent): ModelEvent | undefined {
  if (!event.type.startsWith(`${name}.`)) return undefined;
  const { id, author, time, version, offset } = event;
  const data: unknown = event.data === undefined ? null : JSON.parse(event.data);
  return { type: event.type.slice(name.length + 1), version, data, offset, info: { id, author, time } };
}
