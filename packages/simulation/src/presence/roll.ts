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

/** What a node has taken of a place: what its client said, or (without a turn) that a connection by which it was there has ended. */
export type Word = Omit<Mark, "turn"> & { readonly turn: number | undefined };

/** What a client said of itself, when it reached a node; and when and by which node it was said yes to. */
export interface Statement {
  readonly seq: number;
  readonly n: number | undefined;
  readonly activity: Activity;
  readonly at: number;
  accepted: { readonly at: number; readonly node: Process } | undefined;
}

/** What may be shown of a device. */
export type Shown = "here" | "reconnecting" | "gone";

/** Who comes back so soon is not seen to flicker, in milliseconds; who is not back after so many has left. */
const SHOW_LOSS_MS = 2_000;
const LEAVE_MS = 10_000;

/** A node has lost its lease by then, in milliseconds; it last gave a sign so long before it died. */
const LAPSE_MS = 4_500;
const SIGN_MS = 500;

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
  /** All that nodes have taken of it, also what did not count. */
  readonly #words: Word[] = [];
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

  /** Its client has asked to be there. */
  get hasEntered(): boolean {
    return this.enters.length > 0;
  }

  /** How it stands now: the highest connection counts, on it what was said last, and a goodbye by any of them. */
  get now(): Mark | undefined {
    return this.marks.at(-1);
  }

  /** @returns whether it counts */
  take(word: Word): boolean {
    this.#words.push(word);
    return take(this.marks, word);
  }

  /**
   * How it stands for those who have not heard what some nodes died with: an older connection may still be open at another node, which then
   * has nothing newer.
   *
   * @param clear from when on news surely get about
   * @returns nothing where all has been heard
   */
  unheard(clear: number): readonly Mark[] | undefined {
    if (this.#words.every((word) => isHeard(word, clear))) return undefined;
    const marks: Mark[] = [];
    for (const word of this.#words) if (isHeard(word, clear)) take(marks, word);
    return marks;
  }

  /** The `seq` of what its client said last, as far as all know of it who were told by `before`. */
  saidBy(before: number, clear: number): number {
    const known = this.said.filter(({ accepted }) => accepted && accepted.at < before && isHeard(accepted, clear));
    return known.reduce((most, { seq }) => Math.max(most, seq), 0);
  }

  /** When somebody held it last, whatever of that was heard; infinity: somebody does. */
  get heldUntil(): number | undefined {
    const last = [this.now, this.unheard(Number.POSITIVE_INFINITY)?.at(-1)].filter((mark) => mark !== undefined);
    if (last.length === 0) return undefined;
    return Math.max(...last.map(({ phase, node, at }) => (phase === "here" ? node.endedAt : at)));
  }

  /**
   * What a node may show of it now, when news have taken `spread` milliseconds at most to come to it.
   *
   * @param since when the node that shows it was started: it knows nothing of those that were gone by then
   * @param clear from when on nothing kept news from getting about
   */
  allowed(now: number, spread: number, since: number, clear: number): ReadonlySet<Shown> {
    const from = now - spread;
    if (this.unsure.some((time) => time.from <= now && time.until >= from)) return ANYTHING;
    const allowed = new Set<Shown>();
    const add: Add = (shown, begins, ends) => {
      if (begins <= now && ends >= from) allowed.add(shown);
    };
    for (const at of this.enters) add("here", at, at);
    for (const at of this.leaves) add("gone", at, at);
    this.#stands(this.marks, add, spread, since);
    const unheard = this.unheard(clear);
    if (unheard) this.#stands(unheard, add, spread, since);
    return allowed;
  }

  /** What each of these marks lets be shown, until the next one. */
  #stands(marks: readonly Mark[], add: Add, spread: number, since: number): void {
    add("gone", Number.NEGATIVE_INFINITY, marks[0]?.at ?? Number.POSITIVE_INFINITY);
    marks.forEach((mark, index) => {
      const ends = marks[index + 1]?.at ?? Number.POSITIVE_INFINITY;
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
      // Of the places of the dead a newcomer learns nothing.
      if (died < ends && since > at - LAST_MOMENTS_MS) add("gone", Math.min(died, since), ends);
    });
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

/** Did a node live for long enough after it had taken something that others know of it? */
function isHeard({ at, node }: { readonly at: number; readonly node: Process }, clear: number): boolean {
  return node.endedAt >= Math.max(at, clear) + LAST_MOMENTS_MS;
}

/** @returns whether a word counts after these marks: then it is one of them */
function take(marks: Mark[], { turn, ...word }: Word): boolean {
  const now = marks.at(-1);
  if (turn === undefined) {
    if (now?.phase !== "here" || now.connection !== word.connection || now.node !== word.node) return false;
    marks.push({ ...now, at: word.at, phase: word.phase });
    return true;
  }
  if (now && turn < now.turn && (word.phase === "left" || word.connection <= now.connection)) return false;
  if (now && turn === now.turn && word.phase === "left" && word.connection < now.connection) return false;
  if (now && word.phase === "here" && word.connection < now.connection) return false;
  marks.push({ ...word, turn, connection: Math.max(word.connection, now?.connection ?? 0) });
  return true;
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
