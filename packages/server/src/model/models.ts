import type { Retention } from "@tandem/app";
import type { Limits } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Channel } from "../channel/channel.ts";
import type { Channels } from "../channel/channels.ts";
import { nameOf, tenantOf } from "../log/key.ts";
import type { AppendResult, ChannelKey, Log } from "../log/log.ts";
import type { ChannelModelsPorts } from "./channel-models.ts";
import { ChannelModels } from "./channel-models.ts";
import { Snapshots } from "./snapshots.ts";
import type { Vault } from "./vault.ts";

export interface ModelsPorts {
  readonly log: Log;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly vault: Vault;
  /** A model is to act at this time, in milliseconds since 1970. */
  deadlineSet(at: number): void;
}

/** The models of a node's live channels. What is known of a channel's models goes with the channel. */
export class Models {
  readonly #ports: ChannelModelsPorts;
  readonly #channels = new WeakMap<Channel, ChannelModels>();

  constructor({ log, runtime, limits, vault, deadlineSet }: ModelsPorts) {
    const { logger } = runtime;
    this.#ports = { log, runtime, limits, vault, deadlineSet, logger, snapshots: new Snapshots(log, logger) };
  }

  /** Appends events or a refusal in turn with what the channel's models are asked. Rejects as `AppendQueue.push` does. */
  append(channel: Channel, append: Parameters<ChannelModels["append"]>[0]): Promise<AppendResult> {
    return channel.definition.models.size === 0 ? channel.append(append) : this.on(channel).append(append);
  }

  /**
   * Before a channel's history is trimmed: stores the state of each of its models anew where its snapshot is old, so that the events before it
   * are not needed any more. Never rejects.
   */
  async beforeTrim(
    channels: Pick<Channels, "open" | "definitionOf">,
    key: ChannelKey,
    { count }: Retention,
  ): Promise<void> {
    if (!channels.definitionOf(nameOf(key))?.models.size) return;
    try {
      await this.on(await channels.open(tenantOf(key), nameOf(key))).store(Math.max(1, Math.floor((count ?? 0) / 4)));
    } catch (error) {
      this.#ports.logger.warn(
        { error, channel: key },
        "the models of a channel could not be stored before it is trimmed",
      );
    }
  }

  on(channel: Channel): ChannelModels {
    let models = this.#channels.get(channel);
    if (!models) {
      models = new ChannelModels(channel, this.#ports);
      this.#channels.set(channel, models);
    }
    return models;
  }
}
