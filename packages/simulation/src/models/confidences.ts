import type { VoteState } from "@tandem/model";
import type { ServerMessage } from "@tandem/protocol";
import type { History } from "../history.ts";
import type { Fact } from "../ledger.ts";
import { modelEventOf } from "./desk.ts";

/** What is whispered, and what is hidden, can be told from everything else. */
const WHISPER = /psst-\d+/g;
const SECRET = /hush-\d+/g;

type Ballots = VoteState extends { proposals: Iterable<readonly [string, infer P]> }
  ? (P & { ballots: string })["ballots"]
  : never;

/** What nobody is to know, or not yet, or not everybody: in the log and in everything that is told. */
export class Confidences {
  readonly #history: History;
  readonly #whispers = new Map<string, readonly [by: string, to: string]>();
  /** What was revealed, in whatever history, by when. */
  readonly #revealed = new Map<string, number>();
  /** Kinds of ballots, by proposal; and which hidden ones are revealed. */
  readonly #proposals = new Map<string, Ballots>();
  readonly #opened = new Set<string>();

  constructor(history: History) {
    this.#history = history;
  }

  /** A text for somebody's ears. */
  whisper(text: string, by: string, to: string): void {
    this.#whispers.set(text, [by, to]);
  }

  stored(fact: Fact): void {
    const event = modelEventOf(fact);
    if (!event) return;
    const data = event.data as Readonly<Record<string, unknown>>;
    if (event.name === "purse" && event.type === "revealed") this.#revealed.set(String(data.value), fact.committedAt);
    if (event.name === "votes" && event.type === "proposed")
      this.#proposals.set(String(data.id), data.ballots as Ballots);
    if (event.name === "votes" && event.type === "revealed") this.#opened.add(String(data.proposal));
    for (const [secret] of fact.data.matchAll(SECRET)) {
      if (!this.#revealed.has(secret))
        this.#leak(fact.committedAt, `the log holds ${secret} in the clear (${fact.type})`);
    }
    if (event.type === "cast" && event.name === "votes")
      this.#ballot(fact.committedAt, String(data.proposal), data, "the log");
  }

  /** Something is told to a user. */
  told(at: number, user: string, message: ServerMessage): void {
    const text = JSON.stringify(message);
    for (const [secret] of text.matchAll(SECRET)) {
      if (!this.#revealed.has(secret))
        this.#leak(at, `${user} was told ${secret} before it was revealed (${message.type})`);
    }
    for (const [whisper] of text.matchAll(WHISPER)) {
      const ears = this.#whispers.get(whisper);
      if (!ears?.includes(user)) this.#leak(at, `${user} was told ${whisper}, which is for ${ears} (${message.type})`);
    }
    if (message.type === "events") {
      for (const { type, data } of message.events) {
        const cast = data as Readonly<Record<string, unknown>> | null;
        if (type === "votes.cast" && cast) this.#ballot(at, String(cast.proposal), cast, user);
      }
    }
    if (message.type === "piece" && message.model === "votes") {
      const { table, entries = [] } = message.piece as {
        table?: string;
        entries?: [string, Record<string, unknown>][];
      };
      if (table !== "ballots") return;
      for (const [key, ballot] of entries) this.#ballot(at, key.slice(0, key.indexOf("/")), ballot, user);
    }
  }

  /** A ballot shows no choice but where everybody may know it. */
  #ballot(at: number, proposal: string, ballot: Readonly<Record<string, unknown>>, who: string): void {
    if (ballot.choice === undefined) return;
    const kind = this.#proposals.get(proposal);
    if (kind === "open" || (kind === "hidden" && this.#opened.has(proposal))) return;
    this.#leak(at, `${who} holds a choice in the ${kind} vote ${proposal}`);
  }

  /** The keys that a model has: those of what is still sealed, and no other. */
  keysOf(name: string, state: object): string[] | undefined {
    if (name === "votes") {
      const { proposals } = state as VoteState;
      return [...proposals].filter(([, one]) => one.ballots !== "open" && !one.result).map(([id]) => id);
    }
    if (name !== "purse") return undefined;
    const { hidden } = state as { hidden: Iterable<readonly [string, { value?: string }]> };
    return [...hidden].filter(([, { value }]) => value === undefined).map(([label]) => label);
  }

  #leak(at: number, text: string): void {
    this.#history.violate("M4", at, text);
  }
}
