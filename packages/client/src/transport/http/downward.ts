import type { ErrorMessage, ServerMessage, Welcome } from "@tandem/protocol";
import { HEARTBEAT_MS, RESPONSE_MS } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { fullJitter } from "@tandem/runtime";
import { Alarm } from "../../alarm.ts";
import type { Said } from "./answer.ts";
import { readAnswer } from "./answer.ts";
import type { FrameLimits } from "./body.ts";
import { bodyOf } from "./body.ts";
import type { Greeting } from "./greeting.ts";
import { isOfToken } from "./greeting.ts";
import type { Post } from "./post.ts";
import type { Wants } from "./wants.ts";

/** Milliseconds to the first word of a stream: what holds it back for longer holds back everything. */
const FIRST_WORD_MS = 4_000;
/** A stream that goes on for so many milliseconds after its first word comes as it is sent. */
const STREAMING_MS = 250;
/** Milliseconds to an answer that comes in one piece: longer than the server lets itself have. */
const WHOLE_MS = RESPONSE_MS + 10_000;
/** Least milliseconds between two requests for what comes down. */
const PAUSE_MS = 50;
/** Failures in a row after which the road is given up. */
const FAILURES = 3;

/** The id of `hello` in every request. */
const HELLO = 1;

const GONE = 1006;

export interface DownwardPorts {
  readonly runtime: Runtime;
  readonly post: Post;
  readonly url: string;
  readonly isStream: boolean;
  readonly greeting: Greeting;
  readonly wants: Wants;
  /** What the server takes in one frame. */
  limits(): FrameLimits;
  /** Counts the requests: each is a connection of the client's instance. */
  count(): number;
  welcomed(welcome: Welcome): void;
  /** What was told, without what the client knows. */
  said(messages: readonly ServerMessage[]): void;
  /** The token has ended. @returns how the client is told */
  lapsed(error: ErrorMessage): ServerMessage;
  /** It is over, for this reason. */
  ended(code: number, reason: string): void;
}

/**
 * What comes down: one response after the other, each asked for with everything that is wanted and where it stands.
 *
 * asking ─ answered ─▸ open ─ ends, or something else is wanted ─▸ asking …
 */
export class Downward {
  readonly #ports: DownwardPorts;
  readonly #next: Alarm;
  #giveUp: (() => void) | undefined;
  #askedAt = 0;
  /** Something else is wanted than the present request asks for. */
  #isStale = false;
  /** The present request is a poll that waits for news: nothing in it is to be answered first. */
  #isHeld = false;
  /** When the present request was welcomed. */
  #greetedAt: number | undefined;
  /** The present request was refused, but the next one need not be. */
  #isSpared = false;
  /** The version of what the user follows, as the client was told last; `undefined` before it was. */
  #following: number | undefined;
  /** Nothing is asked for before this time of `elapsed`. */
  #notBefore = 0;
  #failures = 0;
  /** Streams come as they are sent: one of them was seen to. */
  #isStreaming: boolean;
  #isHeldBack = false;
  #isOver = false;

  constructor(ports: DownwardPorts) {
    this.#ports = ports;
    this.#next = new Alarm(ports.runtime);
    this.#isStreaming = !ports.isStream;
  }

  /** What streams is held back on its way until it is over: short responses came, a long one did not. */
  get isHeldBack(): boolean {
    return this.#isHeldBack;
  }

  /** Something else is wanted from now on. */
  change(): void {
    this.#isStale = true;
  }

  /** Asks anew, after a pause, where something else is wanted. */
  wake(): void {
    if (this.#isStale) this.#askSoon();
  }

  /** The token has ended: nothing is asked for before there is another. */
  lapse(): void {
    this.#isSpared = true;
    this.#next.cancel();
  }

  stop(): void {
    this.#isOver = true;
    this.#next.cancel();
    this.#giveUp?.();
  }

  /** Asks after a pause, and not before what was asked for is answered. */
  #askSoon(): void {
    const { greeting, wants, runtime } = this.#ports;
    if (this.#isOver || greeting.isSilent) return;
    const isAnswered = this.#isHeld || (this.#greetedAt !== undefined && wants.isSettled);
    if (this.#giveUp && !greeting.isFresh && !isAnswered) return;
    this.#next.set(Math.max(0, this.#notBefore - runtime.elapsed()), () => this.#ask());
  }

  #ask(): void {
    const { runtime, post, count, greeting, wants, limits, url, isStream } = this.#ports;
    greeting.count(count());
    const hello = greeting.message;
    if (!hello) return;
    if (this.#giveUp) this.#notice();
    this.#giveUp?.();
    this.#askedAt = runtime.elapsed();
    this.#notBefore = this.#askedAt + PAUSE_MS;
    this.#isStale = false;
    this.#greetedAt = undefined;
    this.#isSpared = false;
    // What is to be answered first is asked for where answers are not held until there is news.
    this.#isHeld = !isStream && greeting.wasAccepted && !greeting.isFresh && !wants.hasNew;
    const known = this.#following === undefined ? {} : { following: this.#following };
    const body = bodyOf([{ ...hello, ...known, id: HELLO }, ...wants.ask(HELLO + 1)], limits());
    this.#giveUp = readAnswer(
      post,
      runtime,
      { url, body, accept: isStream ? "text/event-stream" : "application/json", now: !isStream && !this.#isHeld },
      { first: isStream ? FIRST_WORD_MS : WHOLE_MS, between: isStream ? HEARTBEAT_MS * 2.5 : WHOLE_MS },
      { said: (messages) => this.#said(messages), ended: (status, retryAfter) => this.#answered(status, retryAfter) },
    );
  }

  /** Has the present response been open for a while after its first word? */
  #notice(): void {
    const since = this.#greetedAt ?? Number.POSITIVE_INFINITY;
    if (this.#ports.runtime.elapsed() - since >= STREAMING_MS) this.#isStreaming = true;
  }

  #said(messages: readonly Said[]): void {
    const told: ServerMessage[] = [];
    let closed: { readonly code: number; readonly reason: string } | undefined;
    for (const message of messages) {
      if (message.type === "close") closed = message;
      else this.#take(message, told);
    }
    this.#ports.said(told);
    if (this.#isOver) return;
    const retryAfter = this.#ports.wants.takeRetry();
    if (retryAfter !== undefined) {
      this.change();
      this.#wait(retryAfter);
    }
    if (closed && !this.#isSpared) return this.#ports.ended(closed.code, closed.reason);
    this.wake();
  }

  #take(message: ServerMessage, told: ServerMessage[]): void {
    const { greeting, wants, runtime, welcomed, lapsed } = this.#ports;
    if (message.type === "welcome") {
      welcomed(message);
      this.#failures = 0;
      this.#greetedAt = runtime.elapsed();
      const id = greeting.accepted();
      if (id !== undefined) told.push({ ...message, id });
      // The list may have changed between two requests: then nobody was there to be told.
      const { following } = message;
      if (this.#following !== undefined && following && following.version !== this.#following)
        told.push({ type: "following", ...following });
      this.#following = following?.version;
    } else if (message.type === "error" && this.#greetedAt === undefined) {
      this.#refused(message, told);
    } else if (message.type === "error" && message.code === "needs-auth") {
      told.push(lapsed(message));
    } else {
      if (message.type === "following") this.#following = message.version;
      const news = wants.take(message);
      if (news) told.push(news);
    }
  }

  /** The answer to `hello` is no. */
  #refused(message: ErrorMessage, told: ServerMessage[]): void {
    const { greeting, lapsed } = this.#ports;
    const { isFresh, wasAccepted } = greeting;
    if (wasAccepted && !isFresh && isOfToken(message)) {
      told.push(lapsed(message));
      return;
    }
    // A token before the present one may still hold.
    this.#isSpared = isFresh || (wasAccepted && message.retryable);
    this.#wait(message.retryAfter ?? 0);
    if (!wasAccepted || !this.#isSpared || isFresh) told.push({ ...message, id: greeting.refused() });
  }

  #wait(ms: number): void {
    this.#notBefore = Math.max(this.#notBefore, this.#ports.runtime.elapsed() + ms);
  }

  /** A response has ended. */
  #answered(status: number, retryAfter: number): void {
    this.#notice();
    this.#giveUp = undefined;
    const { runtime, greeting, said, ended } = this.#ports;
    if (status === 200 && this.#greetedAt !== undefined) {
      // Whoever waits for a sign of life has one.
      said([]);
      return this.#askSoon();
    }
    if (greeting.isSilent) return;
    this.#failures++;
    this.#isHeldBack = !this.#isStreaming && runtime.elapsed() - this.#askedAt >= FIRST_WORD_MS;
    const isFinal = status >= 400 && status < 500 && status !== 429;
    if (!greeting.wasAccepted || this.#failures >= FAILURES || this.#isHeldBack || isFinal) return ended(GONE, "");
    this.#wait(Math.max(retryAfter, fullJitter(this.#failures, runtime.random(), 250)));
    this.#askSoon();
  }
}
