import type { Retention } from "@tandem/app";
import type { Timer } from "@tandem/runtime";
import type { ChannelKey, Head, TrimBounds } from "../log/log.ts";
import type { Channel, ChannelPorts } from "./channel.ts";

/** All channels, live or not, are gone through this often, in milliseconds. */
const SWEEP_MS = 600_000;

/** Channels that one step of a sweep reads. */
const SWEEP_STEP = 200;

/** What is over a bound by less than this share stays until the next sweep, so that trims are few and large. */
const SLACK = 0.1;

/** Has what a channel's history is still needed for stored otherwise, where it is about to be trimmed. Never rejects. */
export type Prepare = (key: ChannelKey, retention: Retention) => Promise<void>;

/** Holds retention: trims channels whose history is over the bounds of their type. */
export class Trimming {
  readonly #ports: ChannelPorts;
  readonly #retentionOf: (key: ChannelKey) => Retention | undefined;
  readonly #busy = new Set<ChannelKey>();
  #prepare: Prepare = async () => undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(ports: ChannelPorts, retentionOf: (key: ChannelKey) => Retention | undefined) {
    this.#ports = ports;
    this.#retentionOf = retentionOf;
  }

  /** Has `prepare` called before each trim. */
  prepareBy(prepare: Prepare): void {
    this.#prepare = prepare;
  }

  start(): void {
    this.#timer = this.#ports.runtime.timer(SWEEP_MS, () => {
      void this.sweep().finally(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Trims a live channel when it is well over its bounds. */
  consider(channel: Channel): void {
    const { count, bytes } = channel.definition.retention;
    const { head } = channel;
    const over =
      (count !== undefined && head.count > count * (1 + SLACK)) ||
      (bytes !== undefined && head.bytes > bytes * (1 + SLACK));
    if (over)
      void this.#trim(channel.key, channel.definition.retention).then((trimmed) => trimmed && channel.observe(trimmed));
  }

  /** Trims every channel to its bounds, and forgets producers whose time is over. */
  async sweep(): Promise<void> {
    try {
      let after: ChannelKey | undefined;
      for (;;) {
        const heads = await this.#ports.log.channels(after, SWEEP_STEP);
        for (const head of heads) {
          const retention = this.#retentionOf(head.channel);
          if (retention && head.count > 0 && !this.#stopped) await this.#trim(head.channel, retention);
        }
        after = heads[heads.length - 1]?.channel;
        if (heads.length < SWEEP_STEP || this.#stopped) break;
      }
      await this.#ports.log.forgetProducers(this.#ports.runtime.now());
    } catch (error) {
      this.#ports.runtime.logger.warn({ error }, "the sweep for retention stopped, the next one goes on");
    }
  }

  async #trim(key: ChannelKey, retention: Retention): Promise<Head | undefined> {
    const { count, bytes, age } = retention;
    if ((count ?? bytes ?? age) === undefined || this.#busy.has(key)) return undefined;
    this.#busy.add(key);
    const bounds: TrimBounds = {
      count,
      bytes,
      before: age === undefined ? undefined : this.#ports.runtime.now() - age,
    };
    try {
      await this.#prepare(key, retention);
      return await this.#ports.log.trim(key, bounds);
    } catch (error) {
      this.#ports.runtime.logger.warn(
        { error, channel: key },
        "a channel could not be trimmed, the next sweep tries again",
      );
      return undefined;
    } finally {
      this.#busy.delete(key);
    }
  }
}
