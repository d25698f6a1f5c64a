import type { ServerMessage } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { fullJitter } from "@tandem/runtime";
import { Alarm } from "../alarm.ts";
import type { Link } from "../connection/link.ts";
import { ownRefusal, refusal } from "../connection/refusal.ts";

/** Milliseconds after which a change that is not stored is given up: the connection may be away for long. */
const CHANGE_MS = 30_000;
/** Most changes that wait. */
const CHANGES = 256;

interface Change {
  readonly type: "follow" | "unfollow";
  readonly channel: string;
  settle(error?: TandemError): void;
}

/**
 * Changes of what the user follows, stored one after the other; what was lost on the way is asked again: the same change twice
 * is one. Each names the version of the list that this client knows, so that what was given up and comes to the server late, when the
 * list has changed since, does nothing any more.
 */
export class Changes {
  /** The list's, as it was told last. */
  version = 0;
  readonly #runtime: Runtime;
  readonly #hold: Alarm;
  /** The first one is asked for while there is a connection. */
  readonly #line: Change[] = [];
  #link: Link | undefined;
  /** Why the first one is not stored yet. */
  #reason: TandemError | undefined;
  #tries = 0;
  #closed = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#hold = new Alarm(runtime);
  }

  /** Resolves when it is durable. */
  make(type: Change["type"], channel: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(ownRefusal("closed"));
      if (this.#line.length >= CHANGES) {
        return reject(new TandemError("too-many-requests", "Too many changes of what is followed wait to be stored."));
      }
      const change: Change = {
        type,
        channel,
        settle: (error) => {
          timer.cancel();
          const first = this.#line[0] === change;
          this.#line.splice(this.#line.indexOf(change), 1);
          if (error) reject(error);
          else resolve();
          if (first) this.#next();
        },
      };
      const giveUp = () => change.settle((this.#line[0] === change && this.#reason) || ownRefusal("disconnected"));
      const timer = this.#runtime.timer(CHANGE_MS, giveUp);
      this.#line.push(change);
      if (this.#line.length === 1) this.#ask();
    });
  }

  attach(link: Link): void {
    this.#link = link;
    this.#ask();
  }

  detach(): void {
    this.#link = undefined;
    this.#hold.cancel();
    this.#reason = undefined;
  }

  close(): void {
    this.#closed = true;
    this.detach();
    for (const change of [...this.#line]) change.settle(ownRefusal("closed"));
  }

  #next(): void {
    this.#hold.cancel();
    this.#reason = undefined;
    this.#tries = 0;
    this.#ask();
  }

  #ask(): void {
    const [change] = this.#line;
    if (!change || this.#hold.isSet) return;
    const { type, channel } = change;
    this.#link?.ask({ type, channel, version: this.version }, (answer) => this.#answered(change, answer));
  }

  #answered(change: Change, answer: ServerMessage): void {
    if (answer.type === "followed" || answer.type === "unfollowed") this.version = answer.version;
    // It was given up meanwhile.
    if (change !== this.#line[0]) return;
    if (answer.type !== "error") return change.settle();
    if (answer.expected !== undefined) this.version = answer.expected;
    this.#reason = refusal(answer);
    if (!answer.retryable) return change.settle(this.#reason);
    const wait = answer.retryAfter ?? fullJitter(this.#tries++, this.#runtime.random());
    this.#hold.set(wait, () => this.#ask());
  }
}
