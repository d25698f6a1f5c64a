import type { Context, Decision, Made, Reason } from "../decision.ts";
import { Rejection, UNPREDICTABLE } from "../decision.ts";
import type { ModelEvent } from "../evolution.ts";
import { evolve } from "../evolution.ts";
import type {
  AnyModel,
  CommandInput,
  CommandName,
  EventInfo,
  Inverse,
  ModelViewer,
  ReasonOf,
  StateOf,
} from "../model.ts";
import { lettersOf } from "./chance.ts";
import { RehearsalClient } from "./client.ts";
import { canonical, frozen, notJson, sentOver } from "./comparison.ts";
import { RuleBroken } from "./rule.ts";
import { SealedThings } from "./sealing.ts";
import { checkedInput, throughPieces } from "./transfer.ts";

/** What became of a command. */
export type Outcome<R = Reason> =
  | {
      readonly status: "accepted";
      readonly events: readonly ModelEvent[];
      /** What takes it back. */
      readonly inverse: Inverse | undefined;
      /** The offset of the newest event then. */
      readonly head: number;
    }
  | { readonly status: "rejected"; readonly reason: R }
  /** Its input is not what the command takes. */
  | { readonly status: "invalid"; readonly message: string }
  /** It takes the right `admin`. */
  | { readonly status: "forbidden" };

export interface RehearsalOptions {
  /** Users who may do everything. Default: none. */
  readonly admins?: readonly string[];
  /** The server's clock at the beginning, in milliseconds since 1970. Default 1,700,000,000,000. */
  readonly time?: number;
  /** Users whose views are checked beside those of the clients. */
  readonly viewers?: readonly string[];
}

/** A command on its way. */
export interface Call {
  /** `undefined`: the application itself. */
  readonly user: string | undefined;
  readonly command: string;
  readonly input: unknown;
  readonly nonce: string;
}

/** Most times that deadlines follow each other without time passing. */
const ROUNDS = 1_000;

/**
 * Plays a model without network, clock or storage: a server that decides, clients that predict on their views and hear late, and time that passes when
 * it is told to. It checks as it goes that the model keeps the rules for models, and throws `RuleBroken` where it does not:
 *
 * - `decide` is a function of its arguments, changes none of them, and answers events of JSON;
 * - no event makes `evolve` fail, or changes the state that it is given;
 * - the law of views, for every event and every viewer;
 * - a deadline that passes makes something, and the next one is later;
 * - fencing tokens rise.
 *
 * `check` looks at the rest. All is deterministic: the same calls give the same events.
 *
 * @example
 * const stage = new Rehearsal(counter);
 * const ann = stage.join("ann");
 * ann.send("add", { by: 2 });
 * expect(ann.state.value).toBe(2); // predicted
 * ann.serve();
 * ann.deliver();
 * stage.check();
 */
export class Rehearsal<M extends AnyModel> {
  readonly model: M;
  readonly sealed = new SealedThings();
  readonly #admins: ReadonlySet<string>;
  readonly #viewers: readonly string[];
  readonly #events: ModelEvent[] = [];
  /** For each event the offset of the last that was stored with it. */
  readonly #ends: number[] = [];
  readonly #clients: RehearsalClient<M>[] = [];
  readonly #fences = new Map<string, number>();
  /** The newest of all fencing tokens. */
  #token = -1;
  #state: StateOf<M>;
  #time: number;
  #calls = 0;

  constructor(model: M, { admins = [], time = 1_700_000_000_000, viewers = [] }: RehearsalOptions = {}) {
    this.model = model;
    this.#admins = new Set(admins);
    this.#viewers = viewers;
    this.#time = time;
    this.#state = frozen(model.initial());
  }

  /** The server's. */
  get state(): StateOf<M> {
    return this.#state;
  }

  /** The server's clock. */
  get time(): number {
    return this.#time;
  }

  /** The log. */
  get events(): readonly ModelEvent[] {
    return this.#events;
  }

  /** The events that were stored together with the one after `position`, and it. */
  runAfter(position: number): readonly ModelEvent[] {
    return this.#events.slice(position, this.#ends[position]);
  }

  get clients(): readonly RehearsalClient<M>[] {
    return this.#clients;
  }

  /** The newest fencing token of each lock that is held. */
  get fences(): ReadonlyMap<string, number> {
    return this.#fences;
  }

  /** A client of this user comes, and has the state of now. @param skew how far its clock is ahead, in milliseconds. Default 0 */
  join(user: string, skew = 0): RehearsalClient<M> {
    const client = new RehearsalClient<M>(this, user, skew);
    this.#clients.push(client);
    return client;
  }

  /** A command that is decided at once. @param user `undefined`: of the application itself */
  command<N extends CommandName<M>>(
    user: string | undefined,
    command: N,
    input: CommandInput<M, N>,
  ): Outcome<ReasonOf<M>> {
    return this.decide(this.call(user, command, input));
  }

  /** A command that is not on its way yet. */
  call(user: string | undefined, command: string, input: unknown): Call {
    return { user, command, input: sentOver(input), nonce: lettersOf(`nonce/${this.#calls++}`, 22) };
  }

  /** The server's answer to a command. */
  decide({ user, command, input, nonce }: Call): Outcome<ReasonOf<M>> {
    const admin = user === undefined || this.#admins.has(user);
    const definition = Object.hasOwn(this.model.commands, command) ? this.model.commands[command] : undefined;
    if (!definition) return { status: "invalid", message: `there is no command "${command}"` };
    const checked = checkedInput(definition.input, input);
    if ("message" in checked) return { status: "invalid", message: checked.message };
    if (definition.right === "admin" && !admin) return { status: "forbidden" };
    const { value } = checked;
    const before = this.#state;
    const decided = this.#twice(`"${command}"`, nonce, (sealing) =>
      definition.decide(before, value, { ...this.context(user, nonce, this.#time), admin, sealing }),
    );
    if (decided === UNPREDICTABLE) throw new RuleBroken(`"${command}" is UNPREDICTABLE on the server`);
    if (decided instanceof Rejection) {
      const fault = notJson(decided.reason, "reason");
      if (fault !== undefined) throw new RuleBroken(`"${command}" is rejected with what is no JSON: ${fault}`);
      return { status: "rejected", reason: decided.reason as ReasonOf<M> };
    }
    const events = this.#append(decided, user, nonce);
    const inverse: Inverse | undefined = definition.inverse?.(before, value, decided);
    return { status: "accepted", events, inverse: frozen(sentOver(inverse)), head: this.#events.length };
  }

  /** The context of a decision as a client has it, and, but for `admin` and `sealing`, the server. */
  context(user: string | undefined, nonce: string, time: number): Context {
    return {
      user,
      admin: false,
      time,
      id: (index = 0) => lettersOf(`id/${user ?? ""}/${nonce}/${index}`, 16),
      sealing: undefined,
    };
  }

  /** What is known of the event that a command makes, before or when it is stored. */
  info(user: string | undefined, nonce: string, index: number, time: number): EventInfo {
    return { id: lettersOf(`event/${nonce}/${index}`, 16), author: user, time };
  }

  /** The server's clock goes on, or jumps back where `ms` is below 0. Deadlines that pass are late: see `fire`. */
  advance(ms: number): void {
    this.#time += ms;
  }

  /** Deadlines that have passed act. */
  fire(): void {
    for (let round = 0; ; round++) {
      const due = this.model.deadline(this.#state);
      if (due === undefined || due > this.#time) return;
      if (round === ROUNDS) throw new RuleBroken(`${ROUNDS} deadlines have passed without an end`);
      const nonce = lettersOf(`deadline/${this.#calls++}`, 22);
      const state = this.#state;
      const made = this.#twice("onDeadline", nonce, (sealing) =>
        this.model.onDeadline(state, { ...this.context(undefined, nonce, this.#time), admin: true, sealing }),
      );
      const events = made as readonly Made<Record<string, unknown>>[];
      this.#append(events, undefined, nonce);
      const next = this.model.deadline(this.#state);
      const mayStay = events.length > 0 && next === due && round < ROUNDS - 1;
      if (next !== undefined && next <= due && !mayStay)
        throw new RuleBroken(`the deadline ${due} passed, and the next is ${next}`);
    }
  }

  /** Time passes, and each deadline acts when it comes. */
  pass(ms: number): void {
    const until = this.#time + ms;
    this.fire();
    for (let due = this.model.deadline(this.#state); due !== undefined && due <= until; ) {
      this.#time = Math.max(this.#time, due);
      this.fire();
      due = this.model.deadline(this.#state);
    }
    this.#time = until;
  }

  /** All commands are decided, deadlines that have passed act, and all is delivered. */
  settle(): void {
    for (const client of this.#clients) while (client.serve() !== undefined);
    this.fire();
    for (const client of this.#clients) client.deliver();
  }

  /**
   * Settles, and checks that the log replays to the state, that the state goes through its pieces unchanged, and that every client holds its view of it.
   *
   * @throws RuleBroken
   */
  check(): void {
    this.settle();
    const live = canonical(this.#state);
    let replayed: StateOf<M> = this.model.initial();
    for (const event of this.#events) replayed = evolve(this.model, replayed, sentOver(event));
    same("the log does not replay to the state", canonical(replayed), live);
    same("the state is another once it went through its pieces", canonical(throughPieces(this.#state, 64)), live);
    for (const client of this.#clients) {
      const view = canonical(this.model.view(this.#state, client.viewer));
      same(`the client of ${client.user} holds another state than its view`, canonical(client.view), view);
      same(`the client of ${client.user} shows another state than its view`, canonical(client.state), view);
    }
  }

  /** Two answers of one decision, which have to be the same; what the second made with keys counts. */
  #twice(
    what: string,
    nonce: string,
    decide: (sealing: Context["sealing"]) => Decision<Record<string, unknown>>,
  ): Decision<Record<string, unknown>> {
    const first = decide(this.sealed.decision(nonce).sealing);
    const { sealing, commit } = this.sealed.decision(nonce);
    const second = decide(sealing);
    same(`${what} was decided in two ways on the same`, spoken(second), spoken(first));
    if (!(second instanceof Rejection)) commit();
    return second;
  }

  #append(made: readonly Made<Record<string, unknown>>[], user: string | undefined, nonce: string): ModelEvent[] {
    const time = Math.max(this.#time, this.#events.at(-1)?.info.time ?? 0);
    const end = this.#events.length + made.length;
    return made.map(({ type, data }, index) => {
      const fault = data === null ? "data: null" : notJson(data, "data");
      if (fault !== undefined) throw new RuleBroken(`"${type}" holds what is no JSON: ${fault}`);
      const info = this.info(user, nonce, index, time);
      const event: ModelEvent = frozen({ type, version: this.model.version, data, info });
      const before = this.#state;
      this.#state = frozen(evolve(this.model, before, event));
      this.#events.push(event);
      this.#ends.push(end);
      this.#checkViews(before, event);
      const fence = this.model.fence({ type, data });
      if (fence) {
        const last = this.#token;
        if (!Number.isSafeInteger(fence.token) || fence.token <= last) {
          throw new RuleBroken(`the token of "${fence.name}" is ${fence.token} after ${last}`);
        }
        this.#token = fence.token;
        if (fence.free) this.#fences.delete(fence.name);
        else this.#fences.set(fence.name, fence.token);
      }
      return event;
    });
  }

  /** The law of views. */
  #checkViews(before: StateOf<M>, event: ModelEvent): void {
    if (this.model.open) return;
    const users = new Set<string | undefined>([...this.#viewers, ...this.#clients.map(({ user }) => user), undefined]);
    for (const user of users) {
      const viewer = { user };
      const next = canonical(this.model.view(this.#state, viewer));
      const held = frozen(this.model.view(before, viewer));
      if (this.sees(event, viewer)) {
        const evolved = canonical(evolve(this.model, held, event));
        same(`"${event.type}" makes another view for ${user} than the view of the state`, evolved, next);
      } else {
        same(`"${event.type}" changes the view of ${user}, who may not see it`, next, canonical(held));
      }
    }
  }

  /** May this viewer have this event? */
  sees({ type, data, info }: ModelEvent, viewer: ModelViewer): boolean {
    return this.model.visible?.({ type, data, info }, viewer) ?? true;
  }
}

function spoken(decision: Decision<Record<string, unknown>>): string {
  if (decision === UNPREDICTABLE) return "unpredictable";
  return decision instanceof Rejection ? `rejected ${canonical(decision.reason)}` : canonical(decision);
}

function same(rule: string, is: string, should: string): void {
  if (is !== should) throw new RuleBroken(`${rule}:\n  is     ${is}\n  should ${should}`);
}
