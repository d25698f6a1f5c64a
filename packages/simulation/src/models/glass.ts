import type { Position } from "@tandem/protocol";
import { samePosition } from "@tandem/protocol";
import type { World } from "../world.ts";
import type { Command } from "./book.ts";
import type { Handle } from "./clerk.ts";
import { difference, textOf } from "./comparison.ts";
import type { DeskModel } from "./desk.ts";
import { modelNamed } from "./desk.ts";
import type { PurseState } from "./purse.ts";
import { present } from "./purse.ts";

/** Of so many looks at a state without own commands one is compared. */
const EVERY = 4;

interface Own {
  readonly command: Command;
  /** How often it may be shown. */
  readonly most: number;
  shown: boolean;
}

interface Seen {
  readonly channel: string;
  readonly name: DeskModel;
  readonly user: string;
  readonly handle: Handle;
}

/** Looks at a client's copy of a model, whenever it changes. */
export class Glass {
  closed = false;
  readonly #world: World;
  readonly #who: string;
  readonly #seen: Seen;
  readonly #own = new Map<string, Own>();
  #looks = 0;
  /** When the state was loaded; `undefined` while it is. */
  #loadedAt: number | undefined;
  /** Since when it was. */
  #loadingAt = 0;

  constructor(world: World, who: string, seen: Seen) {
    this.#world = world;
    this.#who = who;
    this.#seen = seen;
  }

  /** A command with this label was just sent: where the state is there it shows it. */
  expect(label: string, command: Command): void {
    const input = command.input as { parts?: number };
    const own: Own = { command, most: input.parts ?? 1, shown: false };
    this.#own.set(label, own);
    const state = this.#seen.handle.state.get();
    if (state.kind !== "ready" || command.command !== "say" || command.verdict) return;
    if (this.#count(label, state.value as PurseState) !== 1)
      this.#wrong("M16", `does not show ${label}, which it has just sent`);
  }

  look(): void {
    if (this.closed) return;
    const state = this.#seen.handle.state.get();
    if (state.kind === "failed") {
      if (state.error.code !== "closed")
        this.#wrong("G14", `the model failed: ${state.error.code} ${state.error.message}`);
      return;
    }
    if (state.kind === "loading") {
      for (const own of this.#own.values()) own.shown = false;
      if (this.#loadedAt !== undefined) this.#loadingAt = this.#world.clock.now;
      this.#loadedAt = undefined;
      return;
    }
    this.#loadedAt ??= this.#world.clock.now;
    if (this.#seen.name === "purse") this.#labels(state.value as PurseState, state.position);
    if (++this.#looks % EVERY === 0) this.compare(state.position);
  }

  /** G5, G14: what was sent here is shown once, and stays until it is known to be refused. */
  #labels(value: PurseState, position: Position): void {
    for (const [label, own] of this.#own) {
      const times = this.#count(label, value);
      const { command, most } = own;
      if (times > most) this.#wrong("M16", `shows ${label} ${times} times`);
      const { verdict } = command;
      if (command.command !== "say" || verdict?.kind === "rejected" || verdict?.kind === "unknown") continue;
      if (times === 0 && own.shown) this.#vanished(label, command);
      own.shown = times > 0;
      if (times > 0 && this.#wasTakenBack(command)) this.#wrong("M16", `shows ${label}, which a backup has taken back`);
      const arrived =
        !this.#isTakenBack(command) &&
        !this.#standsInThePast(position) &&
        verdict?.kind === "confirmed" &&
        verdict.position.epoch === position.epoch &&
        verdict.position.offset <= position.offset;
      if (arrived && times === 0) this.#wrong("M16", `has come to ${position.offset} and does not show ${label}`);
    }
  }

  /** A backup was put back since it was stored: it may be gone, also where its answer comes after that. */
  #isTakenBack({ commits, settledAt = 0 }: Command): boolean {
    const isLost = commits.some(({ first }) => first?.lost);
    return isLost || this.#world.ledger.restorations.some(({ at }) => at >= settledAt);
  }

  /** It was settled, and taken back, before the state was asked for that is there now. */
  #wasTakenBack({ commits, settledAt = Number.POSITIVE_INFINITY }: Command): boolean {
    const restoredAt = this.#world.ledger.restorations.at(-1)?.at ?? Number.POSITIVE_INFINITY;
    const isBefore = Math.max(settledAt, restoredAt) < this.#loadingAt;
    return isBefore && commits.length > 0 && commits.every(({ first }) => first?.lost);
  }

  /** The state is told before what has become of commands, in the same turn. */
  #vanished(label: string, command: Command): void {
    this.#world.clock.after(0, undefined, () => {
      if (command.verdict?.kind === "rejected" || command.verdict?.kind === "unknown" || this.closed) return;
      if (this.#isTakenBack(command)) return;
      const state = this.#seen.handle.state.get();
      if (state.kind !== "ready") return;
      // Settled in a life of the channel that was over, or is still to be loaded; or in a history that is.
      if (command.verdict && command.verdict.position.epoch !== state.position.epoch) return;
      if (command.verdict && this.#mayStandInThePast(command.verdict.position)) return;
      this.#wrong("M16", `shows ${label} no more (${command.statuses.join(", ")})`);
    });
  }

  /**
   * A backup was put back since the copy was loaded, and what it took back reached as far as this position of the history that goes on. A copy
   * that stands there has not been told yet: to it, what is settled at the position looks like what has made no event.
   */
  #mayStandInThePast(position: Position): boolean {
    const { ledger } = this.#world;
    const loadedAt = this.#loadedAt ?? 0;
    return ledger.restorations.some(({ at }) => at >= loadedAt) && ledger.isTakenBack(this.#seen.channel, position);
  }

  /**
   * A backup has taken back what stands at this position, and the copy has not been told yet: it counts as come what is settled at a lower offset
   * of the history that goes on, which it does not show until it is loaded anew. Of a position that is still there that can never be so.
   */
  #standsInThePast(position: Position): boolean {
    return this.#world.ledger.at(this.#seen.channel, position)?.lost ?? false;
  }

  #count(label: string, { said, entries }: PurseState): number {
    let times = 0;
    for (const one of said.values()) if (one.label === label) times++;
    for (const one of entries.values()) if (one.label === label && one.amount > 0) times++;
    return times;
  }

  /** Without commands of its own under way, a client holds what its user may hold of the state there. @returns whether it does */
  compare(at: { readonly epoch: string; readonly offset: number; readonly tag: string }, quietly = false): boolean {
    const { channel, name, user, handle } = this.#seen;
    const state = handle.state.get();
    if (state.kind !== "ready" || handle.pending.get() > 0) return false;
    if (!quietly && this.#mayBeAhead(at)) return false;
    const text = textOf(present(name, state.value));
    let nearest: string | undefined;
    for (const possible of this.#world.desks.oracle.possible(channel, at, name)) {
      const expected = textOf(modelNamed(name)?.view(possible, { user }));
      if (expected === text) {
        this.#world.tally.count("path", "model-view-compared");
        return true;
      }
      nearest ??= expected;
    }
    if (!quietly)
      this.#wrong(
        "M16",
        `holds at ${JSON.stringify(at)} ${nearest === undefined ? "what was never stored" : difference(text, nearest)}`,
      );
    return false;
  }

  /** An answer has come, and what it answers has not. */
  #mayBeAhead(at: { readonly epoch: string; readonly offset: number }): boolean {
    for (const { user, model, channel, verdict, by, commits } of this.#world.desks.book.commands) {
      if (user !== this.#seen.user || model !== this.#seen.name || channel !== this.#seen.channel) continue;
      // What a worker is answered nobody is told but the worker: it may have been, once it is stored.
      const answered = by === undefined ? commits.at(-1) : verdict?.kind === "confirmed" ? verdict : undefined;
      if (answered && (answered.position.epoch !== at.epoch || answered.position.offset > at.offset)) return true;
    }
    return false;
  }

  /** In the end: nothing is pending, and it holds what the log holds. @returns what is wrong */
  atEnd(): string | undefined {
    const { channel, handle } = this.#seen;
    const state = handle.state.get();
    const head = this.#world.ledger.head(channel);
    if (state.kind !== "ready") return `${this.#who} is ${state.kind}`;
    if (handle.pending.get() > 0) return `${this.#who} has ${handle.pending.get()} commands under way`;
    if (this.compare(head, true)) return undefined;
    const behind = samePosition(state.position, head)
      ? "holds another state"
      : `stands at ${JSON.stringify(state.position)}`;
    return `${this.#who} ${behind}, the head is ${JSON.stringify(head)}: ${difference(textOf(present(this.#seen.name, state.value)), textOf(modelNamed(this.#seen.name)?.view(this.#world.desks.oracle.now(channel)[this.#seen.name], { user: this.#seen.user })))}`;
  }

  #wrong(rule: string, text: string): void {
    this.#world.history.violate(rule, this.#world.clock.now, `${this.#who} ${text}`);
  }
}
