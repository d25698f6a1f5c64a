import { TandemError } from "@tandem/protocol";
import type { Channel } from "../channel/channel.ts";
import type { AppendResult, Log, NewEvent, Producer, Refusal } from "../log/log.ts";
import type { Attempt, DeciderPorts } from "./decider.ts";
import { Decider } from "./decider.ts";
import { Instance } from "./instance.ts";
import { States } from "./states.ts";

export interface ChannelModelsPorts extends DeciderPorts {
  readonly log: Log;
}

/** The models of one live channel, and the line in which what is to be appended there keeps its order. */
export class ChannelModels {
  readonly channel: Channel;
  readonly states: States;
  readonly #ports: ChannelModelsPorts;
  readonly #instances = new Map<string, Instance>();
  readonly #decider: Decider;

  constructor(channel: Channel, ports: ChannelModelsPorts) {
    this.channel = channel;
    this.#ports = ports;
    this.states = new States(ports.log);
    this.#decider = new Decider(channel, ports);
  }

  /** @throws TandemError `invalid-command` where the channel's type declares no such model */
  instance(name: string): Instance {
    const known = this.#instances.get(name);
    if (known) return known;
    const model = this.channel.definition.models.get(name);
    if (!model) throw new TandemError("invalid-command", `This channel declares no model "${name}".`);
    const { log, logger } = this.#ports;
    const made = new Instance(name, model, this.channel, { log, logger });
    this.#instances.set(name, made);
    return made;
  }

  /** Appends in turn with what the models are asked. Rejects as `Decider.push` does. */
  ask(attempt: Attempt): Promise<AppendResult> {
    return this.channel.during(this.#decider.push(attempt));
  }

  /** Appends events or a refusal: at once, where nothing waits to be decided. */
  append(append: {
    readonly producer: Producer;
    readonly events: readonly NewEvent[];
    readonly refusal?: Refusal | undefined;
    readonly fence?: Attempt["fence"];
  }): Promise<AppendResult> {
    if (this.#decider.idle) return this.channel.append(append);
    const { producer, events, refusal, fence } = append;
    const what = refusal ? ({ kind: "refusal", refusal } as const) : ({ kind: "events", events } as const);
    return this.channel.during(this.#decider.push({ producer, fence, what }));
  }

  /** Stores the states of all models whose newest snapshot is further than `distance` events behind the head. */
  store(distance: number): Promise<void> {
    return this.channel.during(this.#store(distance));
  }

  async #store(distance: number): Promise<void> {
    for (const name of this.channel.definition.models.keys()) {
      const instance = this.instance(name);
      await instance.advance();
      if (instance.stopped !== undefined || instance.at.tag === "") continue;
      if (instance.at.position.offset - instance.stored >= distance) await this.#ports.snapshots.store(instance);
    }
  }
}
