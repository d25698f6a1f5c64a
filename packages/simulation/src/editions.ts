import type { Bus, Envelope, Log } from "@tandem/server/core";
import type { Note } from "./app.ts";
import type { Random } from "./random.ts";
import type { Tally } from "./tally.ts";

/** The event type that has changed since its first version, in the schedules that have editions. */
const REVISED = "memo";

/** Its version. */
export const REVISION = 2;

/** A memo as it was in its first version: nothing that reads it as one of today finds what it looks for. */
export interface OldNote {
  readonly n: number;
  readonly topic: number;
  readonly recipient?: string;
  readonly text: string;
}

/** Share of nodes that are of the release before. */
const OLD = 0.5;

/** An event as it is stored: what of it depends on its version. */
interface Edition {
  readonly type: string;
  readonly version: number;
  /** JSON text. */
  readonly data: string;
}

/** A memo as a client or a node of the release before writes it. */
function asOld({ n, about, to, text }: Note): OldNote {
  return { n, topic: about, ...(to === undefined ? {} : { recipient: to }), text };
}

/** The same as one of today: what the application's upcaster makes of it. */
export function asNew({ n, topic, recipient, text }: OldNote): Note {
  return { n, about: topic, ...(recipient === undefined ? {} : { to: recipient }), text };
}

/**
 * The versions of events in a schedule. Some nodes are of the release before: what they store, and send to others, is of the first
 * version. Whoever reads it, anywhere, gets the newest.
 */
export class Editions {
  readonly #on: boolean;
  readonly #random: Random | undefined;
  readonly #tally: Tally | undefined;

  /** @param random left out: there is one version of everything */
  constructor(random?: Random, tally?: Tally) {
    this.#on = random !== undefined;
    this.#random = random;
    this.#tally = tally;
  }

  /** Is a node that starts now of the release before? */
  drawOld(): boolean {
    return this.#random?.chance(OLD) ?? false;
  }

  /** What readers are to be given of an event that was stored. */
  newest<E extends Edition>(event: E): Edition {
    if (!this.#isRevised(event) || event.version >= REVISION) return event;
    return { ...event, version: REVISION, data: JSON.stringify(asNew(JSON.parse(event.data) as OldNote)) };
  }

  /** What a client publishes, of this release or the one before: its data, and the version where it names one. */
  draft(type: string, data: object): { readonly data: object; readonly version?: number } {
    if (!this.#isRevised({ type })) return { data };
    return this.drawOld() ? { data: asOld(data as Note) } : { data, version: REVISION };
  }

  /** The log as a node of the release before writes it. */
  oldLog(log: Log): Log {
    return {
      ...log,
      append: (batch) =>
        log.append(batch.map((append) => ({ ...append, events: append.events.map((event) => this.#oldest(event)) }))),
    };
  }

  /** The bus as such a node sends on it. */
  oldBus(bus: Bus): Bus {
    return { ...bus, send: (envelope) => bus.send(this.#oldEnvelope(envelope)) };
  }

  #oldEnvelope(envelope: Envelope): Envelope {
    const { message } = envelope;
    if (message.kind !== "events") return envelope;
    return { ...envelope, message: { ...message, events: message.events.map((event) => this.#oldest(event)) } };
  }

  #oldest<E extends { readonly type: string; readonly version: number; readonly data?: string | undefined }>(
    event: E,
  ): E {
    if (!this.#isRevised(event) || event.data === undefined || event.version < REVISION) return event;
    this.#tally?.count("path", "stored-old-version");
    return { ...event, version: 1, data: JSON.stringify(asOld(JSON.parse(event.data) as Note)) };
  }

  #isRevised({ type }: { readonly type: string }): boolean {
    return this.#on && type === REVISED;
  }
}
