import type { AnyModel, EventInfo, ModelUpcaster } from "./model.ts";

/** An event of a model as the log has it. */
export interface ModelEvent {
  /** Its name among the model's events: without the model's name. */
  readonly type: string;
  /** The model's version that made it. */
  readonly version: number;
  /** `null` where it was erased. */
  readonly data: unknown;
  readonly offset?: number | undefined;
  readonly info: EventInfo;
}

/** A model meets an event that its version does not know, or cannot take: it goes no further. */
export class ModelStopped extends Error {
  override readonly name = "ModelStopped";
}

/**
 * The state after an event. An event of an older version is brought up to the present one; one that was erased changes nothing.
 *
 * @throws ModelStopped where no version up to this one knows the event, or the model's own function fails
 */
export function evolve<S extends object>(model: AnyModel, state: S, event: ModelEvent): S {
  if (event.version > model.version) {
    throw new ModelStopped(
      `The event "${event.type}" at offset ${event.offset} is of version ${event.version} of the model ${model.name}; this is version ${model.version}.`,
    );
  }
  const step = Object.hasOwn(model.events, event.type) ? model.events[event.type] : undefined;
  if (!step) {
    throw new ModelStopped(`The model ${model.name} knows no event "${event.type}" (offset ${event.offset}).`);
  }
  if (event.data === null) return state;
  try {
    return step(state, upcastEvent(model, event), event.info) as S;
  } catch (error) {
    throw new ModelStopped(`The model ${model.name} failed at the event "${event.type}", offset ${event.offset}.`, {
      cause: error,
    });
  }
}

/** An event's data, brought to the model's version. */
export function upcastEvent(
  model: AnyModel,
  { type, version, data }: Pick<ModelEvent, "type" | "version" | "data">,
): unknown {
  let current = data;
  for (let at = version; at < model.version; at++) {
    current = upcast(model.upcasters[at]?.events, type, current);
  }
  return current;
}

/** A command's input, brought from the version of the one who sent it to the model's. */
export function upcastInput(model: AnyModel, command: string, version: number, input: unknown): unknown {
  let current = input;
  for (let at = version; at < model.version; at++) {
    current = upcast(model.upcasters[at]?.commands, command, current);
  }
  return current;
}

/**
 * A stored state of an older version, brought to the model's.
 *
 * @throws ModelStopped where the state is of a newer version, or an upcaster fails
 */
export function upcastState(model: AnyModel, version: number, state: object): object {
  if (version > model.version) {
    throw new ModelStopped(
      `A stored state is of version ${version} of the model ${model.name}; this is version ${model.version}.`,
    );
  }
  try {
    let current = state;
    for (let at = version; at < model.version; at++) current = model.upcasters[at]?.state?.(current) ?? current;
    return current;
  } catch (error) {
    throw new ModelStopped(`The model ${model.name} failed at a stored state of version ${version}.`, { cause: error });
  }
}

function upcast(steps: ModelUpcaster["events"], name: string, value: unknown): unknown {
  return steps !== undefined && Object.hasOwn(steps, name) ? steps[name]?.(value) : value;
}
