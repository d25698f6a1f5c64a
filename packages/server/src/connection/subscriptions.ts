import type { Lane, Position, ResetReason, Subscribe, Unsubscribe } from "@tandem/protocol";
import { errorOf } from "@tandem/protocol";
import type { Channel } from "../channel/channel.ts";
import type { Selection } from "../delivery/batch.ts";
import { single } from "../delivery/message.ts";
import type { Overflow } from "../delivery/subscription.ts";
import { Subscription } from "../delivery/subscription.ts";
import { UNBORN } from "../log/log.ts";
import type { Session } from "./session.ts";

/** A subscription that was asked for. */
interface Opening {
  readonly lane: Lane;
}

type Standing = Opening | Subscription;

/** The subscriptions of one session, at most one of each channel. */
export class Subscriptions {
  readonly #session: Session;
  readonly #standing = new Map<string, Standing>();
  /** Frames that had been sent when a subscription was last ended. */
  #droppedAt = -1;

  constructor(session: Session) {
    this.#session = session;
  }

  take(request: Subscribe): void {
    const { channel } = request;
    if (this.#standing.has(channel)) return this.#session.fail(request, errorOf("already-subscribed"));
    if (this.#standing.size >= this.#session.ports.limits.subscriptions) {
      return this.#session.fail(request, errorOf("too-many-subscriptions"));
    }
    const lane = request.lane ?? this.#session.ports.channels.definitionOf(channel)?.priority ?? "normal";
    // What an ended subscription still had in another lane goes out before anything of the new one.
    if (this.#droppedAt === this.#session.outbox.sent) this.#session.outbox.flush();
    // …and a flush may end the session: its time is looked at, and what the socket takes.
    if (this.#session.ended) return;
    const opening: Opening = { lane };
    this.#standing.set(channel, opening);
    this.#open(request, opening).catch((error: unknown) => {
      if (this.#standing.get(channel) === opening) this.#standing.delete(channel);
      this.#session.fail(request, error);
    });
  }

  async #open(request: Subscribe, opening: Opening): Promise<void> {
    const { channels } = this.#session.ports;
    if (!(await this.#session.rights.can(request.channel, "read"))) throw errorOf("forbidden");
    const channel = await channels.open(this.#session.identity.tenant, request.channel);
    const selection = request.filter && channel.select(request.filter);
    const { position, reset } = await begin(channel, request);
    // Unsubscribed meanwhile, or the session ended: nobody waits for this any more.
    if (this.#standing.get(request.channel) !== opening) {
      return this.#session.fail(request, errorOf("not-subscribed"));
    }
    // The right may have gone since it was looked at, or is being asked for anew.
    const allowed = this.#session.rights.can(request.channel, "read");
    if (allowed === false) throw errorOf("forbidden");
    const subscription = this.#stand(request, opening.lane, channel, position, selection, reset);
    if (allowed !== true) this.#waitFor(subscription, allowed);
  }

  #stand(
    request: Subscribe,
    lane: Lane,
    channel: Channel,
    position: Position,
    selection: Selection | undefined,
    reset: ResetReason | undefined,
  ): Subscription {
    const { outbox, identity } = this.#session;
    const subscription = new Subscription({
      channel: request.channel,
      position,
      lane,
      source: channel,
      outbox,
      viewer: identity,
      selection,
      overflow: this.#overflowOf(channel),
    });
    channel.subscribe(subscription);
    this.#standing.set(request.channel, subscription);
    const { id } = request;
    const head = channel.head.offset;
    const answer = { type: "subscribed", id, channel: request.channel, position, head, ...(reset ? { reset } : {}) };
    this.#session.answer(request, lane, answer, reset !== undefined);
    subscription.start();
    return subscription;
  }

  #overflowOf({ definition, conflationKey, head: { offset: replay } }: Channel): Overflow | undefined {
    switch (definition.overflow) {
      case "catch-up":
        return undefined;
      case "latest":
        return { kind: "latest", replay, key: conflationKey };
      case "disconnect":
        return { kind: "disconnect", close: () => this.#session.close(errorOf("too-slow")) };
    }
  }

  drop(request: Unsubscribe): void {
    if (!this.#standing.has(request.channel)) return this.#session.fail(request, errorOf("not-subscribed"));
    const lane = this.#end(request.channel);
    this.#droppedAt = this.#session.outbox.sent;
    this.#session.answer(request, lane, { type: "unsubscribed", id: request.id, channel: request.channel });
  }

  /** @returns the subscription's lane: its end is told in it, after its events and before those of the next one */
  #end(channel: string): Lane {
    const standing = this.#standing.get(channel);
    this.#standing.delete(channel);
    if (standing instanceof Subscription) standing.end();
    return standing?.lane ?? "normal";
  }

  /** Ends the subscriptions that the session may not read any more, and says so. While that is asked for, nothing is delivered. */
  check(): void {
    for (const [channel, standing] of this.#standing) {
      const allowed = this.#session.rights.can(channel, "read");
      if (allowed === true) continue;
      if (allowed === false) {
        this.#expel(channel);
        continue;
      }
      // One that is being opened is looked at again when it stands.
      if (standing instanceof Subscription) this.#waitFor(standing, allowed);
    }
  }

  #waitFor(subscription: Subscription, allowed: Promise<boolean>): void {
    subscription.hold();
    void allowed.then((yes) => {
      if (yes) subscription.release();
      else if (this.#standing.get(subscription.channel) === subscription) this.#expel(subscription.channel);
    });
  }

  #expel(channel: string): void {
    if (this.#session.ended || !this.#standing.has(channel)) return;
    this.#session.outbox.push(this.#end(channel), single({ type: "unsubscribed", channel }), true);
  }

  /** Once a second: tells what the subscriptions have passed over. */
  pulse(): void {
    for (const standing of this.#standing.values()) if (standing instanceof Subscription) standing.tell();
  }

  end(): void {
    for (const channel of [...this.#standing.keys()]) this.#end(channel);
  }
}

/** Where a subscription begins, once this node knows at least what the client knows. */
async function begin(channel: Channel, request: Subscribe): Promise<{ position: Position; reset?: ResetReason }> {
  const { from, atLeast } = request;
  const behind = atLeast && (await lacks(channel, atLeast));
  if (from && "epoch" in from) return channel.resume(from);
  const position = from ? await channel.back(from.last) : channel.position;
  return behind ? { position, reset: behind } : { position };
}

/** Catches up to `atLeast`. @returns why that is not a position of the channel, when it is none even then */
export async function lacks(channel: Channel, atLeast: Position): Promise<ResetReason | undefined> {
  const reached = () => channel.head.epoch === atLeast.epoch && channel.head.offset >= atLeast.offset;
  if (atLeast.epoch === UNBORN || reached()) return undefined;
  if (!(await channel.catchUp())) throw errorOf("storage-unavailable", { retryAfter: 1_000 });
  if (reached()) return undefined;
  return channel.head.epoch === atLeast.epoch ? "ahead" : "epoch";
}
