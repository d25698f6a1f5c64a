import type { ErrorMessage, ServerMessage } from "@tandem/protocol";
import { mintedAt, mintProducer } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { fullJitter } from "@tandem/runtime";
import { Alarm } from "../alarm.ts";
import type { Link } from "../connection/link.ts";
import { ownRefusal, refusal } from "../connection/refusal.ts";
import { byteLength } from "../connection/sender.ts";
import type { Entry, Settlement } from "./publication.ts";

/** A producer with nothing unsettled is replaced after this, in milliseconds: the server keeps marks for 30 days. */
const PRODUCER_AGE = 86_400_000;

/** A wait that the server asked for grows by a random share of itself for each time that it was in vain, so many times at most… */
const VAIN_TIMES = 8;

/** …and so many milliseconds. */
const VAIN_MS = 30_000;

export interface LineEvents {
  settled(entry: Entry, settlement: Settlement): void;
  /** Something can be sent (again). */
  ready(): void;
}

/**
 * The publishes and commands of one channel, in order, under one producer with sequence numbers without gaps.
 *
 * flowing ── a retryable refusal ─▸ stalled (nothing is sent, all answers come in, the wait passes) ─▸ flowing from the
 * first unsettled one
 *
 * After a wait that a server asked for, the first one goes alone: it finds out whether it goes on. Each one that is settled
 * makes room for one more on the way.
 */
export class Line {
  readonly channel: string;
  readonly #runtime: Runtime;
  readonly #events: LineEvents;
  /** Unsettled, in order. */
  readonly #entries: Entry[] = [];
  readonly #hold: Alarm;
  #producer: string | undefined;
  /** The sequence number for the next new one. */
  #seq = 1;
  /** Those before this index are in flight, or wait for the stall's end. */
  #next = 0;
  #inFlight = 0;
  /** So many may be in flight. */
  #room = Number.POSITIVE_INFINITY;
  #stalled = false;
  /** The longest wait that a refusal of this stall asked for. */
  #wait = 0;
  #stalls = 0;
  /** The server has lost this producer's settled past: none of the unsettled ones can be stored there. */
  #lost = false;
  /** The server no longer knows this producer: what is new goes under another. */
  #retired = false;

  constructor(channel: string, runtime: Runtime, events: LineEvents) {
    this.channel = channel;
    this.#runtime = runtime;
    this.#events = events;
    this.#hold = new Alarm(runtime);
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  /** Ends all that is unsettled. */
  clear(): Entry[] {
    this.detach();
    this.#hold.cancel();
    return this.#entries.splice(0);
  }

  /** The answers of what was in flight will not come: all of it is due again, after the wait that was asked for. */
  detach(): void {
    this.#next = 0;
    this.#inFlight = 0;
    this.#lost = false;
    if (!this.#stalled || this.#hold.isSet) return;
    if (this.#wait > 0) this.#waitOut();
    else this.#stalled = false;
  }

  /** Is something due, of those that were sent before (`again`), or at all? */
  due(again: boolean): boolean {
    const entry = this.#entries[this.#next];
    if (!entry || this.#stalled || this.#inFlight >= this.#room) return false;
    if (entry.seq > 0) return true;
    return !again && !(this.#retired && this.#next > 0);
  }

  /** Sends the next one that is due. */
  send(link: Link): void {
    if (this.#lost) this.#renumber(link);
    const entry = this.#entries[this.#next];
    if (!entry) return;
    const fresh = entry.seq === 0;
    const producer = fresh ? this.#producerFor(link) : entry.producer;
    const seq = fresh ? this.#seq : entry.seq;
    const { channel } = this;
    const id = link.nextId();
    const encoded = link.codec.encode({ ...entry.write(JSON.parse(entry.body)), id, channel, producer, seq });
    const { eventBytes, frameBytes } = link.limits;
    // Refused here it has no sequence number yet, and leaves no hole. What was sent before is the server's to judge.
    if (fresh && (byteLength(entry.body) > eventBytes || byteLength(encoded) + 2 > frameBytes)) {
      return this.#settle(entry, { kind: "rejected", error: ownRefusal("event-too-large") });
    }
    if (fresh) {
      entry.producer = producer;
      entry.seq = seq;
      this.#seq++;
    }
    entry.attempts++;
    this.#next++;
    this.#inFlight++;
    link.send(id, encoded, (answer) => this.#answered(entry, answer));
    if (entry.attempts === 1) entry.status.set({ kind: "sent" });
  }

  #producerFor(link: Link): string {
    const now = link.serverTime();
    const old = this.#producer !== undefined && (this.#retired || now - mintedAt(this.#producer) > PRODUCER_AGE);
    // With something unsettled it is kept: its order rests on it.
    return this.#producer === undefined || (old && this.#next === 0) ? this.#mint(now) : this.#producer;
  }

  #mint(now: number): string {
    this.#seq = 1;
    this.#retired = false;
    this.#producer = mintProducer(now, this.#runtime.randomId());
    return this.#producer;
  }

  /** Gives those that were sent a new producer, from 1. None of them is stored, for all before them are missing. */
  #renumber(link: Link): void {
    this.#lost = false;
    const producer = this.#mint(link.serverTime());
    for (const entry of this.#entries) {
      if (entry.seq === 0) break;
      entry.producer = producer;
      entry.seq = this.#seq++;
    }
  }

  #answered(entry: Entry, answer: ServerMessage): void {
    this.#inFlight--;
    if (answer.type === "published") {
      const { position, duplicate = false } = answer;
      this.#settle(entry, { kind: "durable", position, duplicate });
    } else if (answer.type === "error" && answer.retryable) {
      this.#stall(entry, answer);
    } else if (answer.type === "error") {
      this.#refuse(entry, answer);
    }
    if (this.#stalled && this.#inFlight === 0) this.#waitOut();
    else this.#events.ready();
  }

  #refuse(entry: Entry, answer: ErrorMessage): void {
    const error = refusal(answer);
    const { code } = error;
    if (code === "unknown-outcome" || code === "producer-invalid") this.#retired = true;
    // A producer is judged before its marks are looked at: an earlier attempt may have gone through another node.
    const untold = code === "unknown-outcome" || (code === "producer-invalid" && entry.attempts > 1);
    this.#settle(entry, { kind: untold ? "unknown" : "rejected", error });
  }

  #stall(entry: Entry, { code, retryAfter, expected }: ErrorMessage): void {
    this.#stalled = true;
    if (code !== "out-of-sequence") {
      this.#wait = Math.max(this.#wait, this.#waitAfter(retryAfter), 1);
    } else if (entry === this.#entries[0] && expected !== undefined && expected < entry.seq) {
      // All before it were settled, and the server waits for one of them.
      this.#lost = true;
    }
  }

  /** Other channels of this client may have been quicker each time: who waits for a rate is not to fall ever further behind them. */
  #waitAfter(asked: number | undefined): number {
    const chance = this.#runtime.random();
    if (asked === undefined) return fullJitter(this.#stalls, chance);
    return asked + Math.round(chance * Math.min(VAIN_MS, asked * Math.min(this.#stalls, VAIN_TIMES)));
  }

  /** Every answer is in: goes on from the first unsettled one after the wait. */
  #waitOut(): void {
    // The first time round, those behind a refused one need no wait of their own; nor do those that get a new producer.
    const free = this.#stalls === 0 || this.#lost;
    const wait = this.#wait > 0 || free ? this.#wait : fullJitter(this.#stalls, this.#runtime.random());
    if (this.#wait > 0) this.#room = 1;
    this.#stalls++;
    this.#wait = 0;
    this.#hold.set(wait, () => {
      this.#stalled = false;
      this.#next = 0;
      this.#events.ready();
    });
  }

  #settle(entry: Entry, settlement: Settlement): void {
    const index = this.#entries.indexOf(entry);
    this.#entries.splice(index, 1);
    if (index < this.#next) this.#next--;
    this.#stalls = 0;
    this.#room++;
    this.#events.settled(entry, settlement);
  }
}
