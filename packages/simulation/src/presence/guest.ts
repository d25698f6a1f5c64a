import type { Activity, ActivitySource, Client, Presence, SignalStream } from "@tandem/client";
import { presence, signals } from "@tandem/client";
import type { SimulatedApp } from "../app.ts";
import { isCrowd } from "./crowd.ts";
import type { Numbered, SIGNALS } from "./hall.ts";

type Cursor = SignalStream<Numbered, Numbered>;

/** What a client has of one hall. */
interface Stay {
  presence: Presence<Numbered, Numbered> | undefined;
  /** …and wants to be there itself. */
  present: boolean;
  readonly streams: Map<string, Cursor>;
  /** What it said of itself last. */
  n: number | undefined;
}

/** A device as it is shown, or should be. */
export interface Seen {
  readonly device: string;
  readonly user: string;
  readonly n: number | undefined;
  readonly status: string;
}

/** One life of a visitor's client, with what it asks of presence and signals. */
export class Guest {
  readonly client: Client<SimulatedApp>;
  readonly #stays = new Map<string, Stay>();
  readonly #listeners = new Set<() => void>();
  #activity: Activity = "active";

  constructor(client: Client<SimulatedApp>) {
    this.client = client;
  }

  get halls(): string[] {
    return [...this.#stays.keys()];
  }

  readonly #source: ActivitySource = {
    now: () => this.#activity,
    listen: (listener) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
  };

  #channel(hall: string) {
    const type: "crowd" | "hall" = isCrowd(hall) ? "crowd" : "hall";
    return this.client.channel<"crowd" | "hall">(type, hall.slice(hall.indexOf(":") + 1));
  }

  #stay(hall: string): Stay {
    const stay = this.#stays.get(hall) ?? { presence: undefined, present: false, streams: new Map(), n: undefined };
    this.#stays.set(hall, stay);
    return stay;
  }

  /** Enters, or only watches where `n` is left out. */
  come(hall: string, n: number | undefined): void {
    const stay = this.#stay(hall);
    if (stay.presence) return;
    const enters = n !== undefined;
    stay.presence = presence(this.#channel(hall), {
      ...(enters ? { state: { n } } : {}),
      enter: enters,
      activity: this.#source,
      onError: () => this.#stays.delete(hall),
    });
    if (enters) stay.n = n;
    stay.present = enters;
  }

  update(hall: string, n: number): void {
    const stay = this.#stays.get(hall);
    if (!stay?.presence || stay.n === undefined) return;
    stay.n = n;
    stay.presence.update({ n });
  }

  /** Ends the presence; what else is had of the hall goes on. */
  go(hall: string): void {
    const stay = this.#stays.get(hall);
    if (!stay?.presence) return;
    stay.presence.close();
    stay.presence = undefined;
    stay.present = false;
    if (stay.streams.size === 0) this.#stays.delete(hall);
  }

  signal(hall: string, key: (typeof SIGNALS)[number], n: number | null): void {
    const stay = this.#stays.get(hall);
    let stream = stay?.streams.get(key);
    if (!stay || (!stream && !stay.present)) return;
    if (!stream) {
      stream = signals(this.#channel(hall), key, {});
      stay.streams.set(key, stream);
    }
    stream.send(n === null ? null : { n });
  }

  hush(hall: string, key: string): void {
    const stay = this.#stays.get(hall);
    stay?.streams.get(key)?.close();
    stay?.streams.delete(key);
    if (stay && !stay.presence && stay.streams.size === 0) this.#stays.delete(hall);
  }

  turn(activity: Activity): void {
    this.#activity = activity;
    for (const listener of this.#listeners) listener();
  }

  /** What the others should be shown of it in a hall; nothing where it does not want to be there. */
  due(hall: string): { readonly n: number | undefined; readonly status: string } | undefined {
    const stay = this.#stays.get(hall);
    return stay && (stay.present || stay.streams.size > 0) ? { n: stay.n, status: this.#activity } : undefined;
  }

  /** Who it is shown in a hall; `undefined`: it does not look. */
  shown(hall: string): Seen[] | undefined {
    const members = this.#stays.get(hall)?.presence?.members.get();
    return members?.flatMap(({ user, devices }) =>
      devices.map(({ device, state, status }) => ({ device, user, n: state?.n, status })),
    );
  }

  /** How many users it is told are in a hall; `undefined`: it does not look. */
  counted(hall: string): number | undefined {
    return this.#stays.get(hall)?.presence?.count.get();
  }

  /** Whose newest signals it has, by key: numbers by device. */
  heard(hall: string): Map<string, ReadonlyMap<string, number>> {
    const streams = this.#stays.get(hall)?.streams ?? new Map<string, Cursor>();
    return new Map(
      [...streams].map(([key, stream]) => [
        key,
        new Map([...stream.latest.get()].map(([device, { data }]) => [device, data.n])),
      ]),
    );
  }
}
