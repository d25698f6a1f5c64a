import type { Activity } from "@tandem/protocol";
import type { Process } from "../process.ts";

/** How a device's place stands from a moment on, by the word of the node that holds it. */
export interface Mark {
  readonly at: number;
  readonly phase: "here" | "lost" | "left";
  readonly node: Process;
  /** Which of the device's connections it is of. */
  readonly connection: number;
  /** The `seq` of what the client said. */
  readonly turn: number;
}

/** What a client said of itself, when it reached a node; and when the node has said yes to it. */
export interface Statement {
  readonly seq: number;
  readonly n: number | undefined;
  readonly activity: Activity;
  readonly at: number;
  acceptedAt: number | undefined;
}

/** What may be shown of a device. */
export type Shown = "here" | "reconnecting" | "gone";

/** Who comes back so soon is not seen to flicker, in milliseconds; who is not back after so many has left. */
const SHOW_LOSS_MS = 2_000;
const LEAVE_MS = 10_000;

/** A node has lost its lease by then, in milliseconds; it last gave a sign so long before it died. */
const LAPSE_MS = 4_500;
const SIGN_MS = 500;

/** A node that was started knows of everybody by then, in milliseconds. */
const LEARNED_MS = 5_000;

/** What a node did in its last moments may not be known to any other, in milliseconds. */
const LAST_MOMENTS_MS = 1_000;

const ANYTHING: ReadonlySet<Shown> = new Set<Shown>(["here", "reconnecting", "gone"]);

type Add = (shown: Shown, begins: number, ends: number) => void;

/** One device in one hall: what its client said, and where it stood, as far as any node has taken it. */
export class Place {
  /** `tenant/channel`. */
  readonly key: string;
  readonly device: string;
  readonly user: string;
  readonly marks: Mark[] = [];
  readonly said: Statement[] = [];
  /** When something was asked that may take effect at once. */
  readonly enters: number[] = [];
  readonly leaves: number[] = [];
  /** What was asked in a request whose answer may be held back, or be lost: it takes effect in this time, or does not. */
  readonly unsure: { readonly from: number; until: number }[] = [];
  /** Signals that a member has sent, by key: the number in each, and its `seq`. */
  readonly signals = new Map<string, Map<number, number>>();

  constructor(key: string, device: string, user: string) {
    this.key = key;
    this.device = device;
    this.user = user;
  }

  /** How it stands now: the highest connection counts, on it what was said last, and a goodbye by any of them. */
  get now(): Mark | undefined {
    return this.marks.at(-1);
  }

  /** @returns whether it counts */
  mark(mark: Mark): boolean {
    const { now } = this;
    if (now && mark.turn < now.turn && (mark.phase === "left" || mark.connection <= now.connection)) return false;
    if (now && mark.phase === "here" && mark.connection < now.connection) return false;
    this.marks.push({ ...mark, connection: Math.max(mark.connection, now?.connection ?? 0) });
    return true;
  }

  /**
   * What a node may show of it now, when news have taken `spread` milliseconds at most to come to it.
   *
   * @param since when the node that shows it was started: it knows nothing of those that were gone by then
   */
  allowed(now: number, spread: number, since: number): ReadonlySet<Shown> {
    const from = now - spread;
    if (this.unsure.some((time) => time.from <= now && time.until >= from)) return ANYTHING;
    const allowed = new Set<Shown>();
    const add: Add = (shown, begins, ends) => {
      if (begins <= now && ends >= from) allowed.add(shown);
    };
    add("gone", Number.NEGATIVE_INFINITY, this.marks[0]?.at ?? Number.POSITIVE_INFINITY);
    for (const at of this.enters) add("here", at, at);
    for (const at of this.leaves) add("gone", at, at);
    this.marks.forEach((mark, index) => {
      const ends = this.marks[index + 1]?.at ?? Number.POSITIVE_INFINITY;
      const { at, phase, node } = mark;
      const died = node.alive ? Number.POSITIVE_INFINITY : node.endedAt;
      if (died - at < LAST_MOMENTS_MS && died <= ends) {
        for (const shown of ["here", "reconnecting"] as const) add(shown, at, Math.min(ends, died + LEAVE_MS));
        add("gone", at, ends);
      } else if (phase === "here") {
        add("here", at, Math.min(ends, died));
        if (died < ends) this.#lost(add, died, ends, true, spread);
      } else if (phase === "lost") this.#lost(add, at, ends, false, spread);
      else add("gone", at, ends);
      // A goodbye to a node that does not know of the place yet has no effect: its connection's end has.
      if (phase === "left" && at - node.startedAt < LEARNED_MS)
        for (const shown of ["here", "reconnecting"] as const)
          add(shown, at, Math.min(ends, at + LEAVE_MS + LAST_MOMENTS_MS));
      // Of the places of the dead a newcomer learns nothing.
      if (died < ends && since > at - LAST_MOMENTS_MS) add("gone", Math.min(died, since), ends);
    });
    return allowed;
  }

  #lost(add: Add, at: number, ends: number, crashed: boolean, spread: number): void {
    const early = crashed ? SIGN_MS : 0;
    // Until a node has heard of its end, a loss goes on for it.
    const phase = (shown: Shown, begins: number, until: number) => {
      if (ends + spread > begins) add(shown, begins, Math.max(begins, Math.min(ends, until)));
    };
    phase("here", at, at + (crashed ? LAPSE_MS : SHOW_LOSS_MS));
    phase("reconnecting", at + SHOW_LOSS_MS - early, at + LEAVE_MS);
    phase("gone", at + LEAVE_MS - early, Number.POSITIVE_INFINITY);
  }
}

/** Everybody's places, kept from what clients said and nodes answered: the truth about presence. */
export class Roll {
  readonly #places = new Map<string, Place>();
  readonly #owners = new Map<string, { readonly tenant: string; readonly user: string; readonly client: Process }>();

  /** A device has shown itself: from now on it is known whose it is. */
  know(device: string, tenant: string, user: string, client: Process): void {
    this.#owners.set(device, { tenant, user, client });
  }

  owner(device: string): { readonly tenant: string; readonly user: string; readonly client: Process } | undefined {
    return this.#owners.get(device);
  }

  deviceOf(client: Process): string | undefined {
    for (const [device, owner] of this.#owners) if (owner.client === client) return device;
    return undefined;
  }

  place(key: string, device: string): Place | undefined {
    return this.#places.get(`${key} ${device}`);
  }

  open(key: string, device: string, user: string): Place {
    let place = this.place(key, device);
    if (!place) {
      place = new Place(key, device, user);
      this.#places.set(`${key} ${device}`, place);
    }
    return place;
  }

  /** The places in a hall. */
  in(key: string): Place[] {
    return [...this.#places.values()].filter((place) => place.key === key);
  }
}
