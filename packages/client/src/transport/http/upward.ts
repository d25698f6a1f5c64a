import type { ClientMessageInput } from "@tandem/protocol";
import { RESPONSE_MS } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { fullJitter } from "@tandem/runtime";
import { Alarm } from "../../alarm.ts";
import { byteLength } from "../../connection/sender.ts";
import type { Said } from "./answer.ts";
import { readAnswer } from "./answer.ts";
import type { FrameLimits } from "./body.ts";
import type { Post } from "./post.ts";

/** Most requests under way beside the one with publishes: browsers allow six in all to one host over HTTP/1.1. */
const ASKING = 2;
/** Failures in a row after which the road is given up. */
const FAILURES = 3;
/** Milliseconds for an answer: longer than the server lets itself have. */
const PATIENCE = RESPONSE_MS + 10_000;

export interface UpwardPorts {
  readonly runtime: Runtime;
  readonly post: Post;
  readonly url: string;
  /** What the server takes in one frame. */
  limits(): FrameLimits;
  /** The first message of every request. */
  hello(): ClientMessageInput | undefined;
  /** What was answered, without what greets. */
  said(messages: Said[]): void;
  /** The server did not take the one who asks. @returns whether it is worth trying again */
  refused(said: Said): boolean;
  failed(): void;
}

/** A message on its way up. */
interface Parcel {
  readonly message: ClientMessageInput;
  readonly text: string;
}

/**
 * What goes up: POSTs that are each answered in their own response. Publishes and commands go one request at a time, so that they arrive in their
 * order; what else is asked goes beside them. What was left unanswered is sent again: publishes take effect once.
 */
export class Upward {
  readonly #ports: UpwardPorts;
  readonly #publishes: Lane;
  readonly #asking: Lane;

  constructor(ports: UpwardPorts) {
    this.#ports = ports;
    this.#publishes = new Lane(ports, 1);
    this.#asking = new Lane(ports, ASKING);
  }

  send(messages: readonly ClientMessageInput[]): void {
    this.#publishes.add(messages.filter(isWrite));
    this.#asking.add(messages.filter((message) => !isWrite(message)));
  }

  /** Drops what is not answered. */
  clear(): void {
    this.#publishes.clear();
    this.#asking.clear();
  }

  /** Sends what has not been sent yet, and a last word, to which no answer is waited for longer than need be. */
  finish(lastWord: readonly ClientMessageInput[], done: () => void): void {
    const { runtime, post, url, hello } = this.#ports;
    const greeting = hello();
    const rest = [...this.#publishes.finish(), ...this.#asking.finish(), ...lastWord];
    if (!greeting || rest.length === 0) return runtime.defer(done);
    const body = JSON.stringify([greeting, ...rest]);
    const patience = { first: PATIENCE, between: PATIENCE };
    const request = { url, body, accept: "application/json", outlives: true } as const;
    readAnswer(post, runtime, request, patience, { said() {}, ended: done });
  }
}

function isWrite({ type }: ClientMessageInput): boolean {
  return type === "publish" || type === "command";
}

/** Messages that go up in their order, so many requests at a time. */
class Lane {
  readonly #ports: UpwardPorts;
  readonly #most: number;
  readonly #pause: Alarm;
  readonly #underWay = new Set<() => void>();
  #waiting: Parcel[] = [];
  #failures = 0;
  #finished = false;

  constructor(ports: UpwardPorts, most: number) {
    this.#ports = ports;
    this.#most = most;
    this.#pause = new Alarm(ports.runtime);
  }

  /** What is under way may come to its end; nothing is sent again. @returns what was not sent */
  finish(): ClientMessageInput[] {
    const unsent = this.#waiting.map(({ message }) => message);
    this.#finished = true;
    this.#waiting = [];
    this.#pause.cancel();
    return unsent;
  }

  add(messages: readonly ClientMessageInput[]): void {
    this.#waiting.push(...messages.map((message) => ({ message, text: JSON.stringify(message) })));
    this.#go();
  }

  clear(): void {
    this.#pause.cancel();
    this.#waiting = [];
    for (const giveUp of this.#underWay) giveUp();
    this.#underWay.clear();
  }

  #go(): void {
    while (this.#waiting.length > 0 && this.#underWay.size < this.#most && !this.#pause.isSet) {
      const hello = this.#ports.hello();
      if (!hello) return;
      const greeting = JSON.stringify(hello);
      this.#post(greeting, this.#take(byteLength(greeting)));
    }
  }

  /** The next ones that fit into one frame; one at least. */
  #take(used: number): Parcel[] {
    const { frameBytes, frameMessages } = this.#ports.limits();
    let bytes = used + 2;
    let count = 0;
    for (const { text } of this.#waiting) {
      bytes += byteLength(text) + 1;
      if (count > 0 && (bytes > frameBytes || count + 1 >= frameMessages)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  #post(greeting: string, parcels: readonly Parcel[]): void {
    const { post, runtime, url } = this.#ports;
    // Signals are not answered: the next one takes the place of one that was lost.
    const unanswered = new Set(parcels.filter(({ message }) => message.type !== "signal"));
    const asked = unanswered.size;
    let isGreeted = false;
    let isOver = false;
    const body = `[${[greeting, ...parcels.map(({ text }) => text)].join(",")}]`;
    const giveUp = readAnswer(
      post,
      runtime,
      { url, body, accept: "application/json" },
      { first: PATIENCE, between: PATIENCE },
      {
        said: (messages) => {
          const told = messages.filter((message) => {
            if (message.type === "welcome") isGreeted = true;
            if (message.type === "error" && !isGreeted) isOver = !this.#ports.refused(message);
            for (const parcel of unanswered) if (answers(message, parcel)) unanswered.delete(parcel);
            return isGreeted && message.type !== "welcome" && message.type !== "close";
          });
          if (told.length > 0) this.#ports.said(told);
        },
        ended: (status, retryAfter) => {
          if (!this.#underWay.delete(giveUp) || isOver || this.#finished) return;
          this.#waiting.unshift(...unanswered);
          // Progress is enough: a response may end before all of it was answered.
          if (status === 200 && isGreeted && (unanswered.size < asked || asked === 0)) this.#failures = 0;
          else this.#failed(retryAfter);
          this.#go();
        },
      },
    );
    this.#underWay.add(giveUp);
  }

  #failed(retryAfter: number): void {
    const { runtime, failed } = this.#ports;
    if (++this.#failures >= FAILURES) return failed();
    const wait = Math.max(retryAfter, fullJitter(this.#failures, runtime.random(), 250));
    this.#pause.set(wait, () => this.#go());
  }
}

function answers(said: Said, { message }: Parcel): boolean {
  if (message.type === "ping") return said.type === "pong";
  return "id" in said && "id" in message && said.id === message.id;
}
