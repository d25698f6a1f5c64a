import type { Enter, Lane, Leave, Roster, Signal, Unwatch, Watch } from "@tandem/protocol";
import { ERRORS, errorOf } from "@tandem/protocol";
import { single } from "../delivery/message.ts";
import { channelKey } from "../log/key.ts";
import { signalWords, stateText } from "../presence/declared.ts";
import type { PresentDefinition } from "../presence/presence.ts";
import type { Room, Watch as RoomWatch, Visitor } from "../presence/room.ts";
import { tellable } from "./failure.ts";
import type { Instance, Session } from "./session.ts";

interface Watching {
  readonly lane: Lane;
  /** `undefined` while it is being opened. */
  watch: RoomWatch | undefined;
}

export type AttendanceRequest = Watch | Unwatch | Enter | Leave | Roster;

/**
 * The presence and the signals of one session: what it watches, and where it is. Its places are those of its client's instance: a client says nothing
 * of any other device. They are lost when the session ends, and given up on a goodbye.
 */
export class Attendance {
  readonly #session: Session;
  readonly #instance: Instance | undefined;
  readonly #watching = new Map<string, Watching>();
  readonly #entered = new Set<string>();

  constructor(session: Session, instance: Instance | undefined) {
    this.#session = session;
    this.#instance = instance;
  }

  take(request: AttendanceRequest): void {
    try {
      void this.#handle(request)?.catch((error: unknown) => this.#session.fail(request, error));
    } catch (error) {
      this.#session.fail(request, error);
    }
  }

  #handle(request: AttendanceRequest): Promise<void> | undefined {
    switch (request.type) {
      case "watch":
        return this.#watch(request);
      case "unwatch":
        return this.#unwatch(request);
      case "enter":
        return this.#enter(request);
      case "leave":
        return this.#leave(request);
      case "roster":
        return this.#roster(request);
    }
  }

  async #watch(request: Watch): Promise<void> {
    const { channel, members, signals } = request;
    if (this.#watching.has(channel)) throw errorOf("already-watching");
    this.#spend(channel);
    const definition = this.#definitionOf(channel);
    const watching: Watching = { lane: request.lane ?? definition.priority, watch: undefined };
    this.#watching.set(channel, watching);
    try {
      await this.#demand(channel, "read");
      if (this.#watching.get(channel) !== watching) throw errorOf("not-watching");
      const { ports, outbox, identity } = this.#session;
      const room = ports.presence.room(channelKey(identity.tenant, channel), definition);
      this.#answer(request, "watching", watching.lane);
      const { lane } = watching;
      const after = this.#session.oneWay ? (request.after ?? ".") : undefined;
      watching.watch = room.watch({ outbox, lane, device: this.#instance?.device, members, signals, after });
    } catch (error) {
      if (this.#watching.get(channel) === watching) this.#watching.delete(channel);
      throw error;
    }
  }

  async #unwatch(request: Unwatch): Promise<void> {
    const watching = this.#watching.get(request.channel);
    if (!watching) throw errorOf("not-watching");
    this.#endWatch(request.channel);
    this.#answer(request, "unwatched", watching.lane);
  }

  #endWatch(channel: string): void {
    this.#watching.get(channel)?.watch?.end();
    this.#watching.delete(channel);
  }

  async #enter(request: Enter): Promise<void> {
    const { channel, seq, activity } = request;
    const visitor = this.#visitor();
    const wait = this.#session.rates.signal();
    if (wait > 0) throw errorOf("rate-limited", { retryAfter: wait });
    const definition = this.#definitionOf(channel);
    if (!this.#entered.has(channel)) this.#spend(channel);
    await this.#demand(channel, "presence");
    const { ports, identity } = this.#session;
    const state = await stateText(definition.presence, request, ports.limits);
    // The schema may have taken its time: the right may have gone meanwhile.
    await this.#demand(channel, "presence");
    if (this.#session.ended) return;
    const room = ports.presence.room(channelKey(identity.tenant, channel), definition);
    if (this.#instance?.side) room.update(visitor, { seq, state, activity });
    else {
      this.#spend(channel);
      room.enter(visitor, { seq, state, activity });
      this.#entered.add(channel);
    }
    this.#answer(request, "entered");
  }

  async #leave(request: Leave): Promise<void> {
    const { channel, seq } = request;
    const visitor = this.#visitor();
    const { ports, identity } = this.#session;
    const known = ports.presence.known(channelKey(identity.tenant, channel));
    const room = known?.roster.get(visitor.device) ? known : await this.#roomOfStranger(channel);
    if (this.#session.ended) return;
    if (room?.leave(visitor, seq) !== false) this.#entered.delete(channel);
    this.#answer(request, "left");
  }

  /** Where a goodbye is remembered that comes before the word of the place; for those who could have entered, and no more of them than could enter. */
  async #roomOfStranger(channel: string): Promise<Room | undefined> {
    const { ports, identity, rights, rates } = this.#session;
    const definition = ports.presence.definitionOf(channel);
    if (!definition || !(await rights.can(channel, "presence"))) return undefined;
    const wait = rates.signal();
    if (wait > 0) throw errorOf("rate-limited", { retryAfter: wait });
    return ports.presence.room(channelKey(identity.tenant, channel), definition);
  }

  async #roster(request: Roster): Promise<void> {
    const { channel, after = "", limit } = request;
    this.#definitionOf(channel);
    await this.#demand(channel, "read");
    const { ports, identity } = this.#session;
    const page = ports.presence.page(channelKey(identity.tenant, channel), after, limit);
    this.#session.answer(request, "normal", { type: "roster-page", id: request.id, channel, ...page });
  }

  /** A signal has no answer, but where it is refused. */
  signal(signal: Signal): void {
    try {
      void this.#signal(signal)?.catch((error: unknown) => this.#refuse(signal, error));
    } catch (error) {
      this.#refuse(signal, error);
    }
  }

  #signal(signal: Signal): Promise<void> | undefined {
    const visitor = this.#visitor();
    const definition = this.#definitionOf(signal.channel);
    const { ports, identity, rights } = this.#session;
    const room = ports.presence.known(channelKey(identity.tenant, signal.channel));
    if (!room) throw errorOf("not-a-member");
    const wait = this.#session.rates.signal(Object.keys(signal.signals).length);
    if (wait > 0) return this.#drop(signal, wait);
    const allowed = rights.can(signal.channel, "signal");
    if (allowed === false) throw errorOf("forbidden");
    const words = signalWords(definition, visitor.device, signal, ports.limits);
    if (allowed === true && !(words instanceof Promise)) {
      room.signal(visitor, words);
      return undefined;
    }
    return Promise.all([allowed, words]).then(([yes, ready]) => {
      if (!yes) throw errorOf("forbidden");
      if (!this.#session.ended) room.signal(visitor, ready);
    });
  }

  /** What is over the rate is dropped. The client is told now and then; until it has heard, what it sends may go unsaid. */
  #drop(signal: Signal, wait: number): undefined {
    const retryAfter = this.#session.rates.tell(wait);
    if (retryAfter !== undefined) this.#refuse(signal, errorOf("rate-limited", { retryAfter }));
    return undefined;
  }

  #refuse({ channel, seq }: Signal, error: unknown): void {
    if (this.#session.ended) return;
    const { outbox, ports } = this.#session;
    const { code, message, retryAfter } = tellable(error, ports.runtime.logger);
    const { retryable } = ERRORS[code];
    const hint = retryAfter === undefined ? {} : { retryAfter };
    outbox.push("normal", single({ type: "unsignalled", channel, seq, code, message, retryable, ...hint }));
  }

  #visitor(): Visitor {
    const { user, name } = this.#session.identity;
    if (!this.#instance) throw errorOf("no-instance");
    const { device, connection } = this.#instance;
    return { device, user, name, connection };
  }

  #definitionOf(channel: string): PresentDefinition {
    const definition = this.#session.ports.presence.definitionOf(channel);
    if (!definition) throw errorOf("forbidden");
    return definition;
  }

  async #demand(channel: string, right: "read" | "presence"): Promise<void> {
    if (!(await this.#session.rights.can(channel, right))) throw errorOf("forbidden");
  }

  #spend(channel: string): void {
    const more = this.#watching.has(channel) || this.#entered.has(channel) ? 0 : 1;
    const used = new Set([...this.#watching.keys(), ...this.#entered]).size;
    if (used + more > this.#session.ports.limits.watches) throw errorOf("too-many-watches");
  }

  #answer(request: AttendanceRequest, type: string, lane: Lane = "normal"): void {
    this.#session.answer(request, lane, { type, id: request.id, channel: request.channel });
  }

  /** Ends what the session has no right to any more, and says so. While that is asked for, nothing is told. */
  check(): void {
    const { rights, outbox } = this.#session;
    for (const [channel, watching] of this.#watching) {
      const allowed = rights.can(channel, "read");
      if (allowed === true) continue;
      watching.watch?.hold();
      void Promise.resolve(allowed).then((yes) => {
        if (this.#session.ended || this.#watching.get(channel) !== watching) return;
        if (yes) return watching.watch?.release();
        this.#endWatch(channel);
        outbox.push(watching.lane, single({ type: "unwatched", channel }));
      });
    }
    for (const channel of this.#entered) {
      Promise.resolve(rights.can(channel, "presence")).then((allowed) => {
        if (!allowed && !this.#session.ended) this.#endPlace(channel, "left");
      });
    }
  }

  #endPlace(channel: string, phase: "lost" | "left"): void {
    const { ports, identity } = this.#session;
    if (this.#entered.delete(channel) && this.#instance) {
      ports.presence.known(channelKey(identity.tenant, channel))?.end(this.#visitor(), phase);
    }
  }

  /** The connection is about to end in good order: the client is told where it stands, to go on from there with the next one. */
  bookmark(): void {
    for (const [channel, { lane, watch }] of this.#watching) {
      if (!watch) continue;
      this.#session.outbox.push(lane, single({ type: "bookmark", channel, bookmark: watch.bookmark() }));
    }
  }

  /** @param goodbye the client itself has ended it, for good */
  end(goodbye: boolean): void {
    for (const channel of [...this.#watching.keys()]) this.#endWatch(channel);
    for (const channel of [...this.#entered]) this.#endPlace(channel, goodbye ? "left" : "lost");
  }
}
