import { Rejection, UNPREDICTABLE } from "../decision.ts";
import { evolve } from "../evolution.ts";
import type { AnyModel, CommandInput, CommandName, ModelViewer, ReasonOf, StateOf } from "../model.ts";
import { frozen, sentOver } from "./comparison.ts";
import type { Call, Outcome, Rehearsal } from "./rehearsal.ts";
import { checkedInput, throughPieces } from "./transfer.ts";

interface Pending<M> {
  readonly call: Call;
  /** `undefined`: not decided yet. */
  outcome: Outcome<ReasonOf<M>> | undefined;
}

/** A client in a rehearsal: it holds its user's view of the state, as far as it heard, and predicts its own commands on that. */
export class RehearsalClient<M extends AnyModel> {
  readonly user: string;
  readonly #stage: Rehearsal<M>;
  readonly #skew: number;
  readonly #outcomes: Outcome<ReasonOf<M>>[] = [];
  #view: StateOf<M>;
  #position: number;
  #pending: Pending<M>[] = [];
  #predicted: StateOf<M>;

  constructor(stage: Rehearsal<M>, user: string, skew: number) {
    this.#stage = stage;
    this.user = user;
    this.#skew = skew;
    this.#view = this.#loaded();
    this.#position = stage.events.length;
    this.#predicted = this.#view;
  }

  get viewer(): ModelViewer {
    return { user: this.user };
  }

  /** What it holds for certain. */
  get view(): StateOf<M> {
    return this.#view;
  }

  /** What it shows: its own commands that are on their way count as if they were accepted. */
  get state(): StateOf<M> {
    return this.#predicted;
  }

  /** How many of its commands it does not know the outcome of. */
  get pending(): number {
    return this.#pending.length;
  }

  /** What became of its commands, as it was told. */
  get outcomes(): readonly Outcome<ReasonOf<M>>[] {
    return this.#outcomes;
  }

  /** Sends a command: it takes effect here at once, and on the server when `serve` takes it up. */
  send<N extends CommandName<M>>(command: N, input: CommandInput<M, N>): void {
    this.#pending.push({ call: this.#stage.call(this.user, command, input), outcome: undefined });
    this.#predict();
  }

  /** The server decides the oldest command that it has not decided; `undefined`: there is none. The client does not hear of it yet. */
  serve(): Outcome<ReasonOf<M>> | undefined {
    const next = this.#pending.find(({ outcome }) => outcome === undefined);
    if (next) next.outcome = this.#stage.decide(next.call);
    return next?.outcome;
  }

  /**
   * It hears of refusals, and of `count` steps of the log more: the events that were stored together come together. Of commands that were accepted it hears when
   * it has their events. Default: all.
   */
  deliver(count = Number.POSITIVE_INFINITY): void {
    for (let run = 0; run < count && this.#position < this.#stage.events.length; run++) {
      for (const event of this.#stage.runAfter(this.#position)) {
        this.#position++;
        if (this.#stage.sees(event, this.viewer)) {
          this.#view = frozen(evolve(this.#stage.model, this.#view, sentOver(event)));
        }
      }
    }
    this.#drop();
  }

  /** It loads the state of now, as after a long absence; its commands stay on their way. */
  reload(): void {
    this.#view = this.#loaded();
    this.#position = this.#stage.events.length;
    this.#drop();
  }

  #loaded(): StateOf<M> {
    return frozen(throughPieces(this.#stage.model.view(this.#stage.state, this.viewer), 256));
  }

  #drop(): void {
    this.#pending = this.#pending.filter(({ outcome }) => {
      if (outcome === undefined || (outcome.status === "accepted" && outcome.head > this.#position)) return true;
      this.#outcomes.push(outcome);
      return false;
    });
    this.#predict();
  }

  #predict(): void {
    const { model, time } = this.#stage;
    let state = this.#view;
    for (const { call } of this.#pending) {
      const definition = Object.hasOwn(model.commands, call.command) ? model.commands[call.command] : undefined;
      const input = definition && checkedInput(definition.input, call.input);
      if (!definition || !input || !("value" in input)) continue;
      const now = time + this.#skew;
      const decided = definition.decide(state, input.value, this.#stage.context(call.user, call.nonce, now));
      if (decided === UNPREDICTABLE || decided instanceof Rejection) continue;
      for (const [index, { type, data }] of decided.entries()) {
        const info = this.#stage.info(call.user, call.nonce, index, now);
        state = frozen(evolve(model, state, { type, version: model.version, data, info }));
      }
    }
    this.#predicted = state;
  }
}
