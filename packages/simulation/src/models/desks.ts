import type { AnyModel } from "@tandem/model";
import type { Append, AppendResult } from "@tandem/server/core";
import { nameIn } from "../eyes.ts";
import type { History } from "../history.ts";
import type { Fact, Ledger } from "../ledger.ts";
import { EPOCH_START } from "../process.ts";
import type { Tally } from "../tally.ts";
import type { Command } from "./book.ts";
import { Book } from "./book.ts";
import { Confidences } from "./confidences.ts";
import type { Question } from "./decisions.ts";
import { Decisions } from "./decisions.ts";
import type { DeskModel } from "./desk.ts";
import { isDesk, modelEventOf, models } from "./desk.ts";
import { Fences } from "./fences.ts";
import { Oracle } from "./oracle.ts";
import { brokenBy } from "./rules.ts";

/** The digest of what is appended when a deadline has passed. */
const DEADLINE = "deadline";

interface Turn {
  readonly at: number;
  readonly state: object;
}

/** Everything that is known of channels with models: what was asked there, what was stored, and what has to follow from it. */
export class Desks {
  readonly book = new Book();
  readonly oracle: Oracle;
  readonly confidences: Confidences;
  /** The models have not got their present version yet. */
  older = false;
  readonly #ledger: Ledger;
  readonly #history: History;
  readonly #tally: Tally;
  readonly #decisions = new Decisions();
  readonly #fences: Fences;
  /** By channel and model: each state that there was, from when on. */
  readonly #turns = new Map<string, Turn[]>();

  constructor(ledger: Ledger, history: History, tally: Tally) {
    this.#ledger = ledger;
    this.#history = history;
    this.#tally = tally;
    this.oracle = new Oracle(ledger);
    this.confidences = new Confidences(history);
    this.#fences = new Fences(ledger);
  }

  /** The store has taken a batch. */
  committed(at: number, batch: readonly Append[], results: readonly AppendResult[]): void {
    for (const [index, append] of batch.entries()) {
      const result = results[index];
      if (!result || !isDesk(nameIn(append.channel))) continue;
      const command = this.book.find(append.producer.digest);
      if (result.kind === "refused") command?.refusals.push({ at, code: result.refusal.code });
      if (result.kind === "committed") this.#committed(at, append, result, command);
    }
  }

  #committed(
    at: number,
    append: Append,
    result: Extract<AppendResult, { kind: "committed" }>,
    command: Command | undefined,
  ): void {
    const { channel, model, events } = append;
    const wrong = (rule: string, text: string) => {
      const asked = command
        ? `${command.model}.${command.command} ${JSON.stringify(command.input)} of ${command.user}`
        : "";
      this.#history.violate(
        rule,
        at,
        `${channel}@${result.offset} ${model?.name ?? events[0]?.type} ${asked}: ${text}`,
      );
    };
    const facts = events.map((_, i) =>
      this.#ledger.at(channel, { epoch: result.epoch, offset: result.offset + i, tag: result.tags[i] ?? "" }),
    ) as Fact[];
    const { epoch, offset, tags, tagBefore } = result;
    const position = { epoch, offset: offset + tags.length - 1, tag: tags.at(-1) ?? tagBefore };
    command?.commits.push({ at, position, first: facts[0] });
    if (command?.commits.length === 1) this.#tally.count("path", `command.${command.model}.${command.command}`);
    const unfenced = this.#fences.wrongWith(append, facts, command);
    if (unfenced) wrong("G7", unfenced);
    if (append.fence) this.#tally.count("path", "fenced-write");
    if (model) this.#decided(at, append, result, facts, command, wrong);
    else if (facts.some((fact) => modelEventOf(fact))) wrong("M1", "events of a model that nobody decided");
    for (const fact of facts) {
      if (model) this.#tally.count("path", `event.${fact.type}`);
      const broken = brokenBy(fact, command?.command, this.oracle.after(fact.previous), this.oracle.after(fact));
      if (broken) wrong(broken.rule, broken.text);
      this.#fences.note(at, fact);
      this.confidences.stored(fact);
    }
    if (model && facts.length > 0) this.#turn(at, channel, model.name as DeskModel, facts);
  }

  /** Could the model have decided this, on the state that there is where it is stored? */
  #decided(
    at: number,
    { channel, model, producer }: Append,
    { offset, time }: Extract<AppendResult, { kind: "committed" }>,
    facts: readonly Fact[],
    command: Command | undefined,
    wrong: (rule: string, text: string) => void,
  ): void {
    const name = model?.name as DeskModel;
    const line = this.#ledger.line(channel);
    const before = facts.length > 0 ? facts[0]?.previous : line?.facts[offset - 2];
    const isDeadline = producer.digest === DEADLINE;
    if (!command && !isDeadline) return wrong("M1", "decided, and nobody has asked for it");
    if (line?.facts.some((fact) => fact.erased && modelEventOf(fact)?.name === name)) return;
    if (isDeadline) this.#tally.count("path", facts.length > 0 ? `deadline.${name}` : "deadline-too-late");
    const question: Question = command ?? { deadline: `${producer.id}/${producer.seq}` };
    const when = Math.max(time, this.#wall(at));
    const difference = this.#decisions.differs(models[name], this.oracle.after(before)[name], question, facts, when);
    if (difference) wrong(isDeadline ? "M2" : "M1", difference);
    if (command && facts.length === 0) this.#tally.count("path", "decided-nothing");
    if (command && facts.length > 1) this.#tally.count("path", "several-events-a-command");
  }

  #wall(at: number): number {
    return Math.floor(EPOCH_START + at);
  }

  #turn(at: number, channel: string, name: DeskModel, facts: readonly Fact[]): void {
    const key = `${channel} ${name}`;
    const turns = this.#turns.get(key) ?? [];
    this.#turns.set(key, turns);
    turns.push({ at, state: this.oracle.after(facts.at(-1))[name] });
  }

  /** A client is told that the model refuses its command: has there been a state since it asked in which the model does? */
  refused(at: number, command: Command, code: string): void {
    const { askedAt = at, channel, model } = command;
    const name = model as DeskModel;
    const { removals, restorations } = this.#ledger;
    if (removals.some((one) => one.channel === channel && one.at >= askedAt)) return;
    if (removals.some((one) => one.channel === channel) && !this.#turns.has(`${channel} ${name}`)) return;
    if (restorations.length > 0 || this.#ledger.line(channel)?.facts.some(({ erased }) => erased)) return;
    const turns = this.#turns.get(`${channel} ${name}`) ?? [];
    const first = turns.findLastIndex((turn) => turn.at <= askedAt);
    const gone = removals.findLast((one) => one.channel === channel)?.at ?? -1;
    const beginning = { at: gone, state: models[name].initial() };
    const candidates = turns.slice(Math.max(0, first));
    if (first < 0 || (turns[first]?.at ?? 0) < gone) candidates.unshift(beginning);
    const times = [this.#wall(askedAt), this.#wall(at)];
    const could = candidates.some(({ state }) =>
      this.#decisions.refuses(models[name] as AnyModel, state, command, code, times),
    );
    this.#tally.count("path", `refused.${model}.${code}`);
    if (could) return;
    const asked = `${model}.${command.command} ${JSON.stringify(command.input)} of ${command.user}`;
    this.#history.violate(
      "M1",
      at,
      `${channel}: ${asked} was refused (${code}), and there was no state in which it is`,
    );
  }

  /** When the model is to act next by time itself, by what the log holds. */
  deadlineOf(channel: string, name: DeskModel): number | undefined {
    const at = models[name].deadline(this.oracle.now(channel)[name] as never);
    return at === undefined ? undefined : Math.max(0, Math.ceil(at));
  }

  /** The desks in which something is stored. */
  get channels(): string[] {
    return this.#ledger.channels().filter((channel) => isDesk(nameIn(channel)));
  }
}
