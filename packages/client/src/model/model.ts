import type { AppDefinition, ChannelType, ModelName, ModelOf } from "@tandem/app";
import type { AnyModel, CommandInput, CommandName, ReasonOf, StateOf } from "@tandem/model";
import type { ChannelEvent, FenceToken, Position } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Store } from "@tandem/runtime";
import type { Channel } from "../channel.ts";
import type { HistoryPage } from "../event.ts";
import type { SubscribeOptions, Subscription } from "../subscription/handler.ts";
import type { HistoryQuery } from "../subscription/history.ts";
import type { ChangesPage, ChangesQuery } from "./changes.ts";
import { changesOf } from "./changes.ts";
import type { Command } from "./command.ts";
import type { Conflict } from "./conflicts.ts";
import type { ModelState } from "./live-model.ts";
import { Models } from "./models.ts";
import type { Sent } from "./sent.ts";
import { Sending } from "./sent.ts";
import { UndoStack } from "./undo.ts";

export interface ModelOptions {
  /** A position that the answering node must have reached. Default: the newest durable write of this client there. */
  readonly atLeast?: Position | undefined;
}

export interface SendOptions {
  /** The fencing token of the lock under which this is done, where the channel's type wants one. */
  readonly fence?: FenceToken | undefined;
}

/** A use of a model of a channel. All uses of one client share one copy of its state. */
export interface Model<M> {
  /** The state as this client sees it: with its own commands, as soon as they are sent. It changes once per frame, however many events that brought. */
  readonly state: Store<ModelState<StateOf<M>>>;
  /** This client's commands for the model that are not settled yet. */
  readonly pending: Store<number>;
  /** Commands that were refused because somebody else had changed what they were about: 50 at most, the oldest first. */
  readonly conflicts: Store<readonly Conflict<ReasonOf<M>>[]>;
  /**
   * Sends a command. It takes effect here at once, as far as this client can tell what it does, and for everybody when the server has decided it; also
   * without a connection: in order, once there is one. Never throws.
   */
  send<N extends CommandName<M>>(command: N, input: CommandInput<M, N>, options?: SendOptions): Sent<ReasonOf<M>>;
  /**
   * Takes back the last command that was sent here and can be, by another command: if somebody else has changed since what it was about, that is a conflict
   * like any other. 100 are remembered. `undefined`: there is nothing to take back.
   */
  undo(options?: SendOptions): Sent<ReasonOf<M>> | undefined;
  /** Does again what `undo` took back last. */
  redo(options?: SendOptions): Sent<ReasonOf<M>> | undefined;
  readonly canUndo: Store<boolean>;
  readonly canRedo: Store<boolean>;
  /**
   * The state as it was at a position. Waits up to 30 s for a connection.
   *
   * @throws TandemError (by rejection) `state-gone` where the channel's history does not reach back to it
   */
  at(position: Position): Promise<StateOf<M>>;
  /** Who changed what, and when: a page, the newest first asked for. @throws TandemError (by rejection) as `history` does */
  changes(query?: ChangesQuery): Promise<ChangesPage>;
  /** Ends this use. Commands that were sent are settled as ever. */
  close(): void;
}

/**
 * Uses a model of a channel, over lost connections, until `close`.
 *
 * @example
 * const votes = model(client.channel("room", "42"), "votes", vote);
 * votes.state.subscribe(() => show(votes.state.get()));
 * const { kind } = await votes.send("cast", { option: "a" }).settled;
 * @param name the model's name in the channel's type
 * @param definition the same that the channel's type declares: here its code runs, too
 */
export function model<A extends AppDefinition, T extends ChannelType<A>, N extends ModelName<A, T>>(
  channel: Channel<A, T>,
  name: N,
  definition: ModelOf<A, T, N>,
  options: ModelOptions = {},
): Model<ModelOf<A, T, N>> {
  const models = channel.ride(Models);
  const place = {
    channel: channel.name,
    name,
    model: definition as unknown as AnyModel,
    atLeast: options.atLeast,
  };
  // Models read the channel's events whatever their types are; the definition says which are theirs.
  const subscribe = channel.subscribe as unknown as (options: SubscribeOptions) => Subscription;
  const history = channel.history as unknown as (query: HistoryQuery) => Promise<HistoryPage<ChannelEvent>>;
  const live = models.use(place, subscribe);
  const undo = new UndoStack(models.report);
  live.use(undo);
  let closed = false;

  /** @param note is told the command before the application hears anything of it */
  const give = (command: string, input: unknown, { fence }: SendOptions, note: (given: Command) => void): Sent => {
    if (closed) return refused(models.report);
    const { command: given, sent } = live.send({ command, input, fence, again: send });
    note(given);
    live.update();
    return sent;
  };
  const send = (command: string, input: unknown, options: SendOptions = {}): Sent =>
    give(command, input, options, (given) => undo.did(given));
  const undone = (options: SendOptions = {}): Sent | undefined => {
    const inverse = undo.undo();
    return inverse && give(inverse.command, inverse.input, options, (given) => undo.undid(given));
  };
  const redone = (options: SendOptions = {}): Sent | undefined => {
    const inverse = undo.redo();
    return inverse && give(inverse.command, inverse.input, options, (given) => undo.redid(given));
  };

  // The types of states, inputs and reasons are the definition's word: the server decides by the same one.
  return {
    state: live.state,
    pending: live.pending,
    conflicts: live.conflicts.list,
    canUndo: undo.canUndo,
    canRedo: undo.canRedo,
    send,
    undo: undone,
    redo: redone,
    at: (position: Position) => models.stateAt(place, position),
    changes: (query: ChangesQuery = {}) => changesOf(history, name, place.model, query),
    close() {
      closed = true;
      live.leave(undo);
    },
  } as unknown as Model<ModelOf<A, T, N>>;
}

/** A command that goes nowhere: its handle was closed. */
function refused(report: (error: unknown) => void): Sent {
  const sent = new Sending(report);
  const error = new TandemError("closed", "This use of the model was closed.");
  sent.become({ kind: "rejected", reason: undefined, error });
  return sent;
}
