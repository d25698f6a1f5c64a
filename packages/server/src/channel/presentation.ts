import type { ChannelDefinition, Viewer } from "@tandem/app";
import { upcast } from "@tandem/app";
import { upcastEvent } from "@tandem/model";
import type { ChannelEvent } from "@tandem/protocol";
import type { Logger } from "@tandem/runtime";
import type { Visibility } from "../delivery/batch.ts";
import { SharedEvent } from "../delivery/shared-event.ts";
import type { LogEvent } from "../log/log.ts";
import { modelNamed } from "../log/model-log.ts";
import { modelEvent } from "./model-event.ts";

/**
 * An event as its readers get it: what an older version of its schema stored is brought to the present one; every other
 * payload is the stored text. An event that cannot be brought there is delivered as it was stored, with its own version.
 */
export function share(event: LogEvent, definition: ChannelDefinition, logger: Logger): SharedEvent {
  const declared = definition.events.get(event.type);
  if (!declared || event.data === undefined || event.version >= declared.version) {
    return new SharedEvent(event, event.tag, event.run);
  }
  try {
    const data = JSON.stringify(upcast(declared, event.version, JSON.parse(event.data)));
    return new SharedEvent({ ...event, data, version: declared.version }, event.tag, event.run);
  } catch (error) {
    logger.error({ error, event: event.id, type: event.type, version: event.version }, "an upcaster failed");
    return new SharedEvent(event, event.tag, event.run);
  }
}

/** What of a channel a viewer may read: what its type says, and for the events of its models what they say. */
export function visibilityOf({ visible, models }: ChannelDefinition): Visibility | undefined {
  if (![...models.values()].some((model) => model.visible)) return visible;
  return (event, viewer) => (!visible || visible(event, viewer) === true) && shows(models, event, viewer);
}

function shows(models: ChannelDefinition["models"], event: ChannelEvent, { user }: Viewer): boolean {
  const name = modelNamed(event.type);
  const model = name === undefined ? undefined : models.get(name);
  if (name === undefined || !model?.visible) return true;
  const of = modelEvent(name, event);
  // What was erased changes nothing for anybody.
  if (!of || of.data === null) return false;
  return model.visible({ type: of.type, data: upcastEvent(model, of), info: of.info }, { user }) === true;
}

/**
 * The channel type's `visible`, kept from doing harm: where it throws, or answers anything but `true` (a promise, say), the
 * event is hidden, and delivery goes on.
 */
export function guarded(visible: Visibility | undefined, logger: Logger): Visibility | undefined {
  if (!visible) return undefined;
  return (event, viewer) => {
    try {
      return visible(event, viewer) === true;
    } catch (error) {
      logger.error(
        { error, event: event.id, type: event.type, noise: "visible" },
        "a channel type's visible function failed: the event stays hidden",
      );
      return false;
    }
  };
}

/** The channel type's `key`, kept from doing harm: an event for which it fails replaces nothing, and nothing replaces it. */
export function guardedKey(key: ChannelDefinition["key"], logger: Logger): (event: SharedEvent) => string {
  return (event) => {
    try {
      return String(key(event.value));
    } catch (error) {
      const { id, type } = event.stored;
      logger.error({ error, event: id, type, noise: "key" }, "a channel type's key function failed");
      return `\0${id}`;
    }
  };
}
