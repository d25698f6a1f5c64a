import type { Sent, TandemError } from "@tandem/client";

import type { Reason } from "@tandem/model";
import type { Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";

/** `queued`: it waits for a connection. `sent`: the server has not answered yet. */
export type Stage = "queued" | "sent";

/** An own command that came to nothing, in words. */
export interface Refusal {
  /** Its own also where a tool has commands of several models, which are about different things. */
  readonly key: string;
  readonly words: string;
}

export interface CommandsView {
  /** How far those that are not final have come, by what they are about: of several the one that is furthest back. */
  readonly stages: ReadonlyMap<string, Stage>;
  readonly refusals: readonly Refusal[];
}

export interface Tracked {
  /** What the command is about, as the tool names it. */
  readonly about: string;
  /** What it is, at the beginning of a sentence: `Your vote on “Lunch”`. */
  readonly what: string;
  /** Is told that it has no effect. */
  readonly refused?: () => void;
}

/** Most refusals that are shown: the oldest go first. */
const SHOWN = 20;

/** The reader's own commands of a tool, until they are final; of those that were refused, why. */
export class Commands<R extends Reason> implements Store<CommandsView> {
  readonly #wordsOf: (reason: R) => string;
  readonly #view = new Cell<CommandsView>({ stages: new Map(), refusals: [] });
  readonly #pending = new Map<Sent<R>, string>();
  #told = 0;

  /** @param wordsOf says why the model refuses, as a sentence */
  constructor(wordsOf: (reason: R) => string) {
    this.#wordsOf = wordsOf;
  }

  get = (): CommandsView => this.#view.get();

  subscribe = (listener: () => void): (() => void) => this.#view.subscribe(listener);

  /** Follows a command to its end. */
  track(sent: Sent<R>, { about, what, refused }: Tracked): void {
    this.#pending.set(sent, about);
    const look = () => {
      const status = sent.status.get();
      if (status.kind === "pending") return this.#show();
      if (!this.#pending.delete(sent)) return;
      if (status.kind !== "confirmed") refused?.();
      const words = this.#wordsFor(what, status);
      this.#show(words === undefined ? [] : [{ key: `${about}-${++this.#told}`, words }]);
    };
    // A command ends by itself, and its store with it: there is nothing to unsubscribe from.
    sent.status.subscribe(look);
    look();
  }

  dismiss(key: string): void {
    const { stages, refusals } = this.get();
    this.#view.set({ stages, refusals: refusals.filter((refusal) => refusal.key !== key) });
  }

  get unfinished(): boolean {
    return this.#pending.size > 0;
  }

  #wordsFor(what: string, status: ReturnType<Sent<R>["status"]["get"]>): string | undefined {
    switch (status.kind) {
      case "rejected": {
        const { reason, error } = status;
        // A conflict is shown by itself, with both sides of it.
        if (reason?.code === "conflict") return undefined;
        return `${what} was refused. ${reason ? this.#wordsOf(reason) : wordsOfError(error)}`;
      }
      case "unknown":
        return `${what}: nobody can tell whether it took effect. ${status.error.message}`;
      default:
        return undefined;
    }
  }

  #show(news: readonly Refusal[] = []): void {
    const stages = new Map<string, Stage>();
    for (const [sent, about] of this.#pending) {
      const status = sent.status.get();
      if (status.kind === "pending" && stages.get(about) !== "queued") stages.set(about, status.stage);
    }
    const { refusals } = this.get();
    this.#view.set({ stages, refusals: [...refusals, ...news].slice(-SHOWN) });
  }
}

function wordsOfError(error: TandemError): string {
  return error.code === "stale-fence" ? "Somebody else had taken over by then." : error.message;
}
