import type { ChannelDefinition } from "@tandem/app";
import type { Filter } from "@tandem/protocol";
import { filterKey, matcherOf, TandemError } from "@tandem/protocol";
import type { Selection } from "../delivery/batch.ts";
import { modelNamed } from "../log/model-log.ts";

/** Filters of one channel that are kept ready. One that is dropped goes on for those who have it. */
const SELECTIONS = 256;

/** The filters of a channel's subscriptions, made ready: those that say the same are one. */
export class Selections {
  readonly #definition: ChannelDefinition;
  readonly #ready = new Map<string, Selection>();

  constructor(definition: ChannelDefinition) {
    this.#definition = definition;
  }

  /** @throws TandemError `invalid-filter` where it names an event or a field that the channel's type does not declare */
  of(filter: Filter): Selection {
    const { events, models, filterable } = this.#definition;
    const type = filter.types?.find((name) => !events.has(name) && !isOfModel(name, models));
    if (type !== undefined) throw new TandemError("invalid-filter", `This channel declares no event "${type}".`);
    const field = Object.keys(filter.where ?? {}).find((name) => !filterable.has(name));
    if (field !== undefined) {
      throw new TandemError("invalid-filter", `This channel does not declare "${field}" as filterable.`);
    }
    const key = filterKey(filter);
    const selection = this.#ready.get(key) ?? matcherOf(filter);
    this.#ready.delete(key);
    this.#ready.set(key, selection);
    const [longestUnused] = this.#ready.keys();
    if (this.#ready.size > SELECTIONS && longestUnused !== undefined) this.#ready.delete(longestUnused);
    return selection;
  }
}

function isOfModel(type: string, models: ChannelDefinition["models"]): boolean {
  const name = modelNamed(type);
  return name !== undefined && Object.hasOwn(models.get(name)?.events ?? {}, type.slice(name.length + 1));
}
