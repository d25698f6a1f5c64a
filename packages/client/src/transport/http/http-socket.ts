import type { ClientMessageInput, Encoded, ErrorMessage, FrameCodec, ServerMessage } from "@tandem/protocol";
import { HEARTBEAT_MS, HTTP_PATHS, RESPONSE_MS } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { fullJitter } from "@tandem/runtime";
import { Alarm } from "../../alarm.ts";
import type { Socket, SocketEvents, TransportName } from "../connect.ts";
import type { Said } from "./answer.ts";
import { readAnswer } from "./answer.ts";
import type { FrameLimits } from "./body.ts";
import { bodyOf, UNTOLD } from "./body.ts";
import { Greeting } from "./greeting.ts";
import type { Post } from "./post.ts";
import { Upward } from "./upward.ts";
import type { Wanting } from "./wants.ts";
import { Wants } from "./wants.ts";

/** Milliseconds to the first word of a stream: a proxy that holds it back for longer holds all of it back. */
const FIRST_WORD_MS = 4_000;
/** Least milliseconds between the beginnings of two requests for what comes down. */
const PAUSE_MS = 50;
/** Failures in a row after which the road is given up. */
const FAILURES = 3;
/** The id of `hello` in every request. */
const HELLO = 1;

const NORMAL = 1000;
const GONE = 1006;

export interface HttpSocketPorts {
  readonly runtime: Runtime;
  readonly codec: FrameCodec;
  readonly post: Post;
  /** Counts the requests for what comes down: each is a connection of the client's instance. */
  count(): number;
}

/**
 * One connection as the client sees it, made of requests that stand alone. Down comes one response after the other, each asked for
 * with everything that is wanted and where it stands; what goes up is posted beside it. The server keeps nothing in between.
 *
 * Down: asking ─ answered ─▸ open ─ ends, or something else is wanted ─▸ asking …
 */
export class HttpSocket implements Socket {
  readonly transport: Exclude<TransportName, "websocket">;
  readonly #url: URL;
  readonly #ports: HttpSocketPorts;
  readonly #events: SocketEvents;
  readonly #wants = new Wants();
  readonly #upward: Upward;
  /** Channels in which what this client says of itself is being changed, by the request's id. */
  readonly #changing = new Map<number, string>();
  readonly #next: Alarm;
  readonly #greeting = new Greeting();
  #limits: FrameLimits = UNTOLD;
  #giveUp: (() => void) | undefined;
  /** Something else is wanted than the present request asks for. */
  #isStale = false;
  /** The present request is a poll that waits for news: nothing in it is to be answered first. */
  #isHeld = false;
  /** The present request was welcomed. */
  #isGreeted = false;
  /** The present request was refused, but the next one need not be. */
  #isSpared = false;
  /** Nothing is asked for before this time of `elapsed`. */
  #notBefore = 0;
  #failures = 0;
  #isOver = false;

  /** @param url of the WebSocket */
  constructor(transport: "sse" | "poll", url: string, ports: HttpSocketPorts, events: SocketEvents) {
    this.transport = transport;
    this.#url = new URL(url.replace(/^ws/, "http"));
    this.#ports = ports;
    this.#events = events;
    this.#next = new Alarm(ports.runtime);
    this.#upward = new Upward({
      runtime: ports.runtime,
      post: ports.post,
      url: this.#under(HTTP_PATHS.send),
      limits: () => this.#limits,
      hello: () => this.#greeting.message,
      said: (messages) => this.#answeredUp(messages as ServerMessage[]),
      refused: (said) => this.#refused(said),
      failed: () => this.#end(GONE, ""),
    });
    ports.runtime.defer(() => this.#isOver || events.opened());
  }

  send(frame: Encoded): void {
    if (this.#isOver) return;
    const up: ClientMessageInput[] = [];
    const answers: ServerMessage[] = [];
    for (const message of this.#ports.codec.decode(frame) as ClientMessageInput[]) this.#route(message, up, answers);
    if (up.length > 0) this.#upward.send(up);
    if (answers.length > 0) this.#ports.runtime.defer(() => this.#tell(answers));
    if (this.#isStale) this.#askSoon();
  }

  close(code: number, reason: string): void {
    if (this.#isOver) return;
    if (code !== NORMAL) return this.#end(code, reason);
    const id = Number.MAX_SAFE_INTEGER;
    const leaves = this.#wants.entered.map(
      ({ channel, seq }, at) => ({ type: "leave", id: id - at, channel, seq: seq + 1 }) as const,
    );
    this.#stop();
    this.#upward.finish(leaves, () => this.#events.closed(code, reason));
  }

  #under(path: string): string {
    const url = new URL(this.#url);
    url.pathname = url.pathname.replace(/\/$/, "") + path;
    return url.href;
  }

  /** Sorts a message of the client: what changes what comes down, what goes up, and what can be answered here. */
  #route(message: ClientMessageInput, up: ClientMessageInput[], answers: ServerMessage[]): void {
    switch (message.type) {
      case "hello":
        this.#greeting.say(message);
        this.#isStale = true;
        return;
      case "refresh":
        this.#greeting.renew(message);
        this.#isStale = true;
        return;
      case "subscribe":
      case "watch":
        return this.#want(message, answers);
      case "enter":
        if (!this.#wants.has("enter", message.channel)) return this.#want(message, answers);
        this.#wants.change(message);
        this.#changing.set(message.id, message.channel);
        up.push(message);
        return;
      case "unsubscribe":
        return this.#unwant("subscribe", message, { ...message, type: "unsubscribed" }, answers);
      case "unwatch":
        return this.#unwant("watch", message, { ...message, type: "unwatched" }, answers);
      case "leave":
        this.#forget("enter", message.channel, answers);
        up.push(message);
        return;
      case "ping":
        if (this.#greeting.isLapsed) answers.push({ type: "pong" });
        else up.push(message);
        return;
      // The next request says where the client stands: that is the acknowledgement, and the sign of life.
      case "received":
      case "pong":
        return;
      default:
        up.push(message);
    }
  }

  #want(message: Wanting, answers: ServerMessage[]): void {
    this.#forget(message.type, message.channel, answers);
    this.#wants.add(message);
    this.#isStale = true;
  }

  #unwant(
    type: Wanting["type"],
    { channel }: { channel: string },
    answer: ServerMessage,
    answers: ServerMessage[],
  ): void {
    this.#forget(type, channel, answers);
    this.#isStale = true;
    answers.push(answer);
  }

  /** A request that is not answered when its end is asked for is told so, as the server would. */
  #forget(type: Wanting["type"], channel: string, answers: ServerMessage[]): void {
    const id = this.#wants.remove(type, channel);
    if (id !== undefined) answers.push({ ...error("not-subscribed"), id, channel });
  }

  /** Asks for what comes down, after a pause, and not before what was asked for is answered. */
  #askSoon(): void {
    if (this.#isOver || this.#greeting.isSilent) return;
    const isAnswered = this.#isHeld || (this.#isGreeted && this.#wants.isSettled);
    if (this.#giveUp && !this.#greeting.isFresh && !isAnswered) return;
    this.#next.set(Math.max(0, this.#notBefore - this.#ports.runtime.elapsed()), () => this.#ask());
  }

  #ask(): void {
    const { runtime, post, count } = this.#ports;
    this.#greeting.count(count());
    const hello = this.#greeting.message;
    if (!hello) return;
    this.#giveUp?.();
    this.#notBefore = runtime.elapsed() + PAUSE_MS;
    this.#isStale = false;
    this.#isGreeted = false;
    this.#isSpared = false;
    const isStream = this.transport === "sse";
    // What is to be answered first is asked for where answers are not held until there is news.
    this.#isHeld = !isStream && this.#greeting.wasAccepted && !this.#greeting.isFresh && !this.#wants.hasNew;
    const body = bodyOf([{ ...hello, id: HELLO }, ...this.#wants.ask(HELLO + 1)], this.#limits);
    const whole = RESPONSE_MS + 10_000;
    this.#giveUp = readAnswer(
      post,
      runtime,
      {
        url: this.#under(HTTP_PATHS.stream),
        body,
        accept: isStream ? "text/event-stream" : "application/json",
        now: !isStream && !this.#isHeld,
      },
      { first: isStream ? FIRST_WORD_MS : whole, between: isStream ? HEARTBEAT_MS * 2.5 : whole },
      { said: (messages) => this.#said(messages), ended: (status, retryAfter) => this.#answered(status, retryAfter) },
    );
  }

  #said(messages: readonly Said[]): void {
    const told: ServerMessage[] = [];
    let closed: { readonly code: number; readonly reason: string } | undefined;
    for (const message of messages) {
      if (message.type === "close") closed = message;
      else this.#take(message, told);
    }
    this.#tell(told);
    if (this.#isOver) return;
    if (closed && !this.#isSpared) return this.#end(closed.code, closed.reason);
    if (this.#isStale) this.#askSoon();
  }

  #take(message: ServerMessage, told: ServerMessage[]): void {
    if (message.type === "welcome") {
      this.#limits = message.limits;
      this.#failures = 0;
      this.#isGreeted = true;
      const id = this.#greeting.accepted();
      if (id !== undefined) told.push({ ...message, id });
    } else if (message.type === "error" && !this.#isGreeted) {
      this.#refusedDown(message, told);
    } else if (message.type === "error" && message.code === "needs-auth") {
      this.#lapse(message, told);
    } else {
      const news = this.#wants.take(message);
      if (news) told.push(news);
    }
  }

  /** The answer to `hello` is no. */
  #refusedDown(message: ErrorMessage, told: ServerMessage[]): void {
    const { isFresh, wasAccepted } = this.#greeting;
    if (wasAccepted && !isFresh && isOfToken(message)) return this.#lapse(message, told);
    // A token before the present one may still hold.
    this.#isSpared = isFresh || (wasAccepted && message.retryable);
    this.#wait(message.retryAfter ?? 0);
    if (!wasAccepted || !this.#isSpared || isFresh) told.push({ ...message, id: this.#greeting.refused() });
  }

  #wait(ms: number): void {
    this.#notBefore = Math.max(this.#notBefore, this.#ports.runtime.elapsed() + ms);
  }

  /** What was posted is answered. Who is told that it is not there any more is not: what comes down is asked for without it. */
  #answeredUp(messages: readonly ServerMessage[]): void {
    for (const message of messages) {
      const channel = "id" in message && message.id !== undefined ? this.#changing.get(message.id) : undefined;
      if (channel === undefined || !("id" in message) || message.id === undefined) continue;
      this.#changing.delete(message.id);
      if (message.type !== "error") continue;
      this.#wants.remove("enter", channel);
      this.#isStale = true;
    }
    this.#tell(messages);
    if (this.#isStale) this.#askSoon();
  }

  /** A POST was refused. @returns whether it is worth trying again */
  #refused(said: Said): boolean {
    if (said.type !== "error" || this.#greeting.isLapsed) return false;
    if (!isOfToken(said)) {
      if (!said.retryable) this.#end(4400, said.code);
      return said.retryable;
    }
    const told: ServerMessage[] = [];
    this.#lapse(said, told);
    this.#tell(told);
    return false;
  }

  /** The token has ended: as on a WebSocket, the server has let go of everything. */
  #lapse({ message }: ErrorMessage, told: ServerMessage[]): void {
    this.#greeting.lapse();
    this.#isSpared = true;
    this.#wants.clear();
    this.#upward.clear();
    this.#changing.clear();
    this.#next.cancel();
    told.push({ ...error("needs-auth"), message });
  }

  /** A response has ended. */
  #answered(status: number, retryAfter: number): void {
    this.#giveUp = undefined;
    const { runtime } = this.#ports;
    if (status === 200 && this.#isGreeted) {
      // Whoever waits for a sign of life has one.
      this.#tell([]);
      return this.#askSoon();
    }
    if (this.#greeting.isSilent) return;
    this.#failures++;
    if (
      !this.#greeting.wasAccepted ||
      this.#failures >= FAILURES ||
      (status >= 400 && status < 500 && status !== 429)
    ) {
      return this.#end(GONE, "");
    }
    this.#wait(Math.max(retryAfter, fullJitter(this.#failures, runtime.random(), 250)));
    this.#askSoon();
  }

  #tell(messages: readonly ServerMessage[]): void {
    if (this.#isOver) return;
    const { codec } = this.#ports;
    this.#events.frame(codec.join(messages.map((message) => codec.encode(message))));
  }

  #stop(): void {
    this.#isOver = true;
    this.#next.cancel();
    this.#giveUp?.();
  }

  #end(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#stop();
    this.#upward.clear();
    this.#changing.clear();
    this.#ports.runtime.defer(() => this.#events.closed(code, reason));
  }
}

function isOfToken({ code }: ErrorMessage): boolean {
  return code === "token-expired" || code === "token-invalid" || code === "token-revoked" || code === "needs-auth";
}

function error(code: "needs-auth" | "not-subscribed") {
  return { type: "error", code, message: "", retryable: code === "needs-auth" } as const;
}
