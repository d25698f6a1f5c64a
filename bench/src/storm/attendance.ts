import type { Member, MemberEvents } from "./member.ts";

/** Longest wait for the last one to be back, in milliseconds. */
const PATIENCE_MS = 90_000;

/** How often it is looked, in milliseconds. */
const LOOK_MS = 20;

interface Attendant {
  readonly member: Member;
  /** How often each message came, by its number. */
  readonly counts: number[];
  /** When it could have come back; `undefined` once it has. */
  awaitedSince: number | undefined;
}

/** Who is there, who is awaited, and who got which message how often. */
export class Attendance {
  readonly failed: Promise<never>;
  /** Milliseconds that each return took. */
  readonly returns: number[] = [];
  /** Messages that a client got after a later one of their channel. */
  disordered = 0;
  readonly #attendants: Attendant[] = [];
  #fail: (error: Error) => void = () => {};

  constructor() {
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
  }

  get attendants(): readonly Attendant[] {
    return this.#attendants;
  }

  add(connect: (events: MemberEvents) => Member): void {
    const counts: number[] = [];
    const member = connect({
      live: () => this.#returned(attendant),
      message: (seq) => {
        if (seq < counts.length && counts[seq] === undefined) this.disordered++;
        counts[seq] = (counts[seq] ?? 0) + 1;
      },
      failed: this.#fail,
    });
    const attendant: Attendant = { member, counts, awaitedSince: performance.now() };
    this.#attendants.push(attendant);
  }

  /** All of them are awaited from now on. */
  awaitAll(): void {
    const now = performance.now();
    for (const attendant of this.#attendants) attendant.awaitedSince = now;
  }

  #returned(attendant: Attendant): void {
    if (attendant.awaitedSince === undefined) return;
    this.returns.push(performance.now() - attendant.awaitedSince);
    attendant.awaitedSince = undefined;
  }

  /** Resolves when nobody is awaited. @throws Error when somebody does not come */
  async complete(): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    for (const attendant of this.#attendants) {
      while (attendant.awaitedSince !== undefined) {
        if (performance.now() > until) throw new Error(`${this.#awaited()} clients did not come back`);
        await this.pause(LOOK_MS);
      }
    }
  }

  #awaited(): number {
    return this.#attendants.filter(({ awaitedSince }) => awaitedSince !== undefined).length;
  }

  /** Messages that some client never got, and copies beyond the first that some client got, given what each channel was sent. */
  count(published: Readonly<Record<string, number>>): { readonly missing: number; readonly duplicated: number } {
    let missing = 0;
    let duplicated = 0;
    for (const { member, counts } of this.#attendants) {
      for (let seq = 1; seq <= (published[member.channel] ?? 0); seq++) {
        const times = counts[seq] ?? 0;
        if (times === 0) missing++;
        else duplicated += times - 1;
      }
    }
    return { missing, duplicated };
  }

  pause(ms: number): Promise<void> {
    return Promise.race([new Promise<void>((resolve) => void setTimeout(resolve, ms)), this.failed]);
  }

  leave(): void {
    for (const { member } of this.#attendants) member.close();
  }
}
