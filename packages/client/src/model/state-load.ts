import type { AnyModel, Piece } from "@tandem/model";
import { Assembly, upcastState } from "@tandem/model";
import type { ErrorMessage, Position, ServerMessage, StatePiece } from "@tandem/protocol";
import { samePosition, TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { fullJitter } from "@tandem/runtime";
import { Alarm } from "../alarm.ts";
import type { Link } from "../connection/link.ts";
import { refusal } from "../connection/refusal.ts";
import type { Written } from "../outbox/written.ts";

/** Bytes of the first piece: something to show soon. */
const FIRST_BYTES = 16_384;
/** Bytes of the largest piece. */
const MOST_BYTES = 262_144;
/** A piece that came within so many milliseconds is followed by one four times as large… */
const QUICK_MS = 250;
/** …and one that took longer than this by one half as large. */
const SLOW_MS = 1_000;
/** So many times the state may be gone before all of it came. */
const TRIES = 8;

/** What is to be loaded. */
export interface Wanted {
  readonly channel: string;
  /** The model's name in the channel. */
  readonly name: string;
  readonly model: AnyModel;
  /** At this position, and at no other. Left out: the newest. */
  readonly at?: Position | undefined;
  /** The answering node must have reached this. Default: the newest write of this client there. */
  readonly atLeast?: Position | undefined;
}

export interface StateLoadEvents {
  /** The first piece is asked for, perhaps not for the first time: what was answered before that is in what comes. */
  asked(): void;
  /** The position of what comes is known: what is sent from here on is not in it. */
  placed(position: Position): void;
  /** What is there so far, in so many pieces. */
  came(state: object, pieces: number): void;
  done(state: object, position: Position): void;
  failed(error: TandemError): void;
}

/** A model's state on its way here, piece by piece, carried over from connection to connection. */
export class StateLoad {
  readonly #runtime: Runtime;
  readonly #wanted: Wanted;
  readonly #written: Written;
  readonly #events: StateLoadEvents;
  readonly #hold: Alarm;
  #link: Link | undefined;
  #assembly = new Assembly<object>();
  #position: Position | undefined;
  #after: string | undefined;
  #pieces = 0;
  #bytes = FIRST_BYTES;
  #tries = 0;
  #gone = 0;
  #over = false;

  constructor(runtime: Runtime, wanted: Wanted, written: Written, events: StateLoadEvents) {
    this.#runtime = runtime;
    this.#wanted = wanted;
    this.#written = written;
    this.#events = events;
    this.#hold = new Alarm(runtime);
  }

  attach(link: Link): void {
    this.#link = link;
    this.#ask();
  }

  detach(): void {
    this.#link = undefined;
    this.#hold.cancel();
  }

  stop(): void {
    this.#over = true;
    this.detach();
  }

  #ask(): void {
    const { channel, name, at, atLeast = this.#written.get(channel) } = this.#wanted;
    const asked = this.#runtime.elapsed();
    const link = this.#link;
    if (link && !this.#position) this.#events.asked();
    const where = this.#position
      ? { at: this.#position, after: this.#after }
      : { at, atLeast: at ? undefined : atLeast };
    link?.ask({ type: "state", channel, model: name, ...where, bytes: this.#bytes }, (answer) => {
      if (!this.#over && this.#link === link) this.#answered(answer, this.#runtime.elapsed() - asked);
    });
  }

  #answered(answer: ServerMessage, took: number): void {
    if (answer.type === "error") return this.#refused(answer);
    if (answer.type !== "piece") return;
    const { model } = this.#wanted;
    if (!this.#add(answer)) return this.#again(undefined);
    this.#tries = 0;
    if (took < QUICK_MS) this.#bytes = Math.min(MOST_BYTES, this.#bytes * 4);
    else if (took > SLOW_MS) this.#bytes = Math.max(FIRST_BYTES, this.#bytes / 2);
    const { position, next, version } = answer;
    let state = this.#assembly.state;
    if (!state) return;
    try {
      state = upcastState(model, version, state);
    } catch (cause) {
      const message = `The server's model ${model.name} is of version ${version}, this client's of ${model.version}.`;
      return this.#fail(new TandemError("model-stopped", message, { cause }));
    }
    if (this.#pieces === 1) this.#events.placed(position);
    if (next !== undefined) {
      this.#after = next;
      this.#events.came(state, this.#pieces);
      if (!this.#over) this.#ask();
    } else {
      this.stop();
      this.#events.done(state, position);
    }
  }

  /** @returns whether the piece goes on from what is there */
  #add({ position, piece }: StatePiece): boolean {
    if (this.#position && !samePosition(this.#position, position)) return false;
    this.#position = position;
    try {
      this.#assembly.add(piece as Piece);
    } catch {
      return false;
    }
    this.#pieces++;
    return true;
  }

  #refused(answer: ErrorMessage): void {
    const { code, retryable, retryAfter } = answer;
    if (code === "not-yet") this.#written.refused(this.#wanted.channel);
    // Of a position that was asked for there is no other state.
    if (code === "state-gone" && (!this.#wanted.at || this.#pieces > 0)) return this.#again(answer);
    if (!retryable) return this.#fail(refusal(answer));
    this.#wait(retryAfter ?? fullJitter(this.#tries++, this.#runtime.random()));
  }

  /** Begins with the first piece. */
  #again(answer: ErrorMessage | undefined): void {
    if (++this.#gone >= TRIES) {
      return this.#fail(
        answer ? refusal(answer) : new TandemError("state-gone", "The pieces of the state do not fit together."),
      );
    }
    this.#assembly = new Assembly();
    this.#position = undefined;
    this.#after = undefined;
    this.#pieces = 0;
    this.#wait(fullJitter(this.#gone - 1, this.#runtime.random()));
  }

  #wait(ms: number): void {
    this.#hold.set(ms, () => this.#ask());
  }

  #fail(error: TandemError): void {
    this.stop();
    this.#events.failed(error);
  }
}
