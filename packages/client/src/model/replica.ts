import type { AnyModel, ModelEvent } from "@tandem/model";
import { evolve, upcastEvent } from "@tandem/model";
import type { Position } from "@tandem/protocol";
import type { Command } from "./command.ts";

/** The epoch of a channel that nothing was ever written to. */
const UNBORN = "-";
/** Most indices of a command's events that are tried on one event. */
const INDICES = 64;

/** The events of a command as they come. */
interface Coming {
  readonly before: object;
  readonly made: { type: string; data: unknown }[];
  /** The next of them has this index or a higher one. */
  readonly end: number;
}

/**
 * A model's state as one client has it: confirmed by the server, and on top of it the client's own commands that the confirmed state does not
 * show yet, decided anew whenever what is below them changes. Knows no connection.
 *
 * A command leaves the top exactly when the confirmed state shows it: with its events, or when everything up to its answer has come (it made no
 * event, or none that this viewer may have); or when it is refused.
 */
export class Replica<S extends object> {
  readonly #model: AnyModel;
  #user = "";
  #confirmed: S | undefined;
  #predicted: S | undefined;
  #position: Position | undefined;
  /** Of the newest event of the model. */
  #time = 0;
  /** Not shown by the confirmed state, in their order. */
  #pending: Command[] = [];
  /** Of these, what was answered before the state was asked for that is to be loaded. */
  #past: ReadonlySet<Command> = new Set();
  #stale = false;

  constructor(model: AnyModel) {
    this.#model = model;
  }

  /** The confirmed state is the one after this; `undefined` while it is loaded. */
  get position(): Position | undefined {
    return this.#position;
  }

  get confirmed(): S | undefined {
    return this.#confirmed;
  }

  /** The first command that the server has accepted, and the confirmed state does not show yet. */
  get awaited(): Command | undefined {
    return this.#pending.find(({ answer }) => answer);
  }

  /** The confirmed state with the own commands on top of it. */
  get predicted(): S | undefined {
    if (this.#stale && this.#confirmed) {
      this.#stale = false;
      let state = this.#confirmed;
      for (const command of this.#pending) if (!command.unsure) state = this.#decide(command, state);
      this.#predicted = state;
    }
    return this.#predicted;
  }

  /**
   * Another state is asked for: what is answered by now it shows, or no state will, because a restored backup has taken it back. Where the
   * present one stands says nothing of what is answered from here on.
   */
  ask(): void {
    this.#position = undefined;
    this.#past = new Set(this.#pending.filter(({ answer }) => answer));
  }

  /** The position of a state that is to be loaded is known: whether it shows what is on its way now only the answers tell. */
  await(): void {
    for (const command of this.#pending) if (!command.answer) command.unsure = command.isSent;
  }

  /** The confirmed state is another from here on. */
  load(user: string, state: S, position: Position): void {
    this.#user = user;
    this.#confirmed = state;
    this.#position = position;
    this.#time = 0;
    const past = this.#past;
    this.#past = new Set();
    this.#keep((command) => !past.has(command) && !(command.answer && settles(position, command.answer)));
    for (const command of this.#pending) if (command.answer) command.unsure = false;
    this.#stale = true;
  }

  /** Puts a command of this client on top. */
  push(command: Command): void {
    const state = this.predicted;
    this.#pending.push(command);
    if (state) this.#predicted = this.#decide(command, state);
  }

  /** The server has accepted a command. */
  answered(command: Command, position: Position): void {
    command.answer = position;
    // What it means shows the state that is to be loaded.
    if (!this.#position) return;
    if (command.unsure) this.#stale = true;
    command.unsure = false;
    if (settles(this.#position, position)) this.#drop(command);
  }

  /** A command will not take effect, or it is not known whether it will. */
  refused(command: Command): void {
    command.refused = true;
    this.#drop(command);
  }

  /**
   * Events of the model, in order, all there are past the position.
   *
   * @throws ModelStopped
   */
  take(events: readonly ModelEvent[]): void {
    let state = this.#confirmed;
    if (!state || events.length === 0) return;
    const steps = new Map<Command, Coming>();
    let reached = this.#position?.offset ?? 0;
    for (const event of events) {
      const { offset = reached } = event;
      const { author, time } = event.info;
      if (author === this.#user) this.#recognise(event, state, Math.min(INDICES, offset - reached), steps);
      state = evolve(this.#model, state, event);
      reached = offset;
      this.#time = time;
    }
    this.#confirmed = state;
    this.#stale = true;
    this.#keep((command) => !steps.has(command));
    for (const [command, step] of steps) command.confirm(step);
  }

  /** Everything up to there has come. */
  reach(position: Position): void {
    if (position.offset < (this.#position?.offset ?? 0)) return;
    this.#position = position;
    this.#keep(({ answer }) => !answer || !settles(position, answer));
  }

  /** Notes whose event this is, if it is one of a command of this client. `gap`: so many events stand from the last known one to this one. */
  #recognise(event: ModelEvent, before: S, gap: number, steps: Map<Command, Coming>): void {
    for (const command of [...steps.keys(), ...this.#pending]) {
      const step = steps.get(command) ?? { before, made: [], end: 0 };
      // The events of one command come together: there can be no more of them between the last known event and this one.
      const index = command.indexOf(event.info.id, step.end + gap);
      if (index < 0) continue;
      step.made.push({ type: event.type, data: upcastEvent(this.#model, event) });
      steps.set(command, { ...step, end: index + 1 });
      return;
    }
  }

  #keep(stays: (command: Command) => boolean): void {
    const kept = this.#pending.filter(stays);
    if (kept.length === this.#pending.length) return;
    this.#pending = kept;
    this.#stale = true;
  }

  #drop(command: Command): void {
    this.#keep((pending) => pending !== command);
  }

  #decide(command: Command, state: S): S {
    return command.decide(state, { user: this.#user, time: this.#time });
  }
}

/**
 * Does the state at a position show what was answered with another, as far as it ever will? What was settled in another life of the channel is
 * gone with that one; or it will be shown when that one is loaded.
 */
function settles(position: Position, answer: Position): boolean {
  if (answer.epoch === UNBORN) return true;
  if (position.epoch === UNBORN) return false;
  return answer.epoch !== position.epoch || answer.offset <= position.offset;
}
