import type { Position } from "@tandem/protocol";

/** Channels whose newest write is remembered. */
const CHANNELS = 1_000;
/** So many times a node may say that it has not got there before the position is taken for lost (a restored past). */
const REFUSALS = 3;

/** The newest durable write on each channel: reads and joins ask for a node that has it. */
export class Written {
  readonly #channels = new Map<string, { readonly position: Position; refusals: number }>();

  note(channel: string, position: Position): void {
    const known = this.#channels.get(channel)?.position;
    if (known && known.epoch === position.epoch && known.offset >= position.offset) return;
    this.#channels.delete(channel);
    this.#channels.set(channel, { position, refusals: 0 });
    const [oldest] = this.#channels.keys();
    if (this.#channels.size > CHANNELS && oldest !== undefined) this.#channels.delete(oldest);
  }

  get(channel: string): Position | undefined {
    return this.#channels.get(channel)?.position;
  }

  /** A node has answered `not-yet`. */
  refused(channel: string): void {
    const known = this.#channels.get(channel);
    if (known && ++known.refusals >= REFUSALS) this.forget(channel);
  }

  /** The channel's history was begun anew. */
  forget(channel: string): void {
    this.#channels.delete(channel);
  }
}
