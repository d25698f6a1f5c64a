import type { ClientMessageInput, Encoded, ErrorMessage, FrameCodec, ServerMessage } from "@tandem/protocol";
import { FRAME_END, HEARTBEAT_MS, HTTP_PATHS, RESPONSE_MS } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { fullJitter } from "@tandem/runtime";
import { Alarm } from "../../alarm.ts";
import { byteLength } from "../../connection/sender.ts";
import type { Socket, SocketEvents, TransportName } from "../connect.ts";
import type { Said } from "./answer.ts";
import { readAnswer } from "./answer.ts";
import type { Post } from "./post.ts";
import type { FrameLimits } from "./upward.ts";
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

/** Before the server has told its limits, nothing but `hello` is sent. */
const UNTOLD: FrameLimits = { frameBytes: 1_024, frameMessages: 1 };

const NORMAL = 1000;
const GONE = 1006;

type Hello = Extract<ClientMessageInput, { type: "hello" }>;

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
  readonly #next: Alarm;
  #hello: Hello | undefined;
  #number = 0;
  /** The token before the one that a refresh brought, until that is accepted. */
  #refresh: { readonly id: number; readonly before: string | undefined } | undefined;
  #limits: FrameLimits = UNTOLD;
  #giveUp: (() => void) | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Something else is wanted than the present request asks for. */
  #isStale = false;
  /** The present request is a poll that waits for news: nothing in it is to be answered first. */
  #isHeld = false;
  /** The present request was welcomed; any was. */
  #isGreeted = false;
  #wasGreeted = false;
  /** The token has ended: nothing is asked for without a fresh one. */
  #isLapsed = false;
  /** The present request was refused, but the next one need not be; after so many milliseconds. */
  #isSpared = false;
  #retryAfter = 0;
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
      hello: () => (this.#isLapsed || !this.#hello ? undefined : this.#greeting(this.#hello)),
      said: (messages) => this.#tell(messages as ServerMessage[]),
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
        this.#hello = message;
        this.#isStale = true;
        return;
      case "refresh":
        if (!this.#hello) return;
        this.#refresh = { id: message.id, before: this.#hello.token };
        this.#hello = { ...this.#hello, token: message.token };
        this.#isStale = true;
        return;
      case "subscribe":
      case "watch":
        return this.#want(message, answers);
      case "enter":
        if (!this.#wants.has("enter", message.channel)) return this.#want(message, answers);
        this.#wants.change(message);
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
        if (this.#isLapsed) answers.push({ type: "pong" });
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
  #askSoon(atLeast = 0): void {
    if (this.#isOver || (this.#isLapsed && !this.#refresh)) return;
    const isAnswered = this.#isHeld || (this.#isGreeted && this.#wants.isSettled);
    if (this.#giveUp && !this.#refresh && !isAnswered) return;
    const pause = this.#askedAt + PAUSE_MS - this.#ports.runtime.elapsed();
    this.#next.set(Math.max(0, atLeast, pause), () => this.#ask());
  }

  #ask(): void {
    const { runtime, post } = this.#ports;
    if (!this.#hello) return;
    this.#giveUp?.();
    this.#askedAt = runtime.elapsed();
    this.#isStale = false;
    this.#isGreeted = false;
    this.#isSpared = false;
    const isStream = this.transport === "sse";
    // What is to be answered first is asked for where answers are not held until there is news.
    this.#isHeld = !isStream && this.#wasGreeted && !this.#refresh && !this.#wants.hasNew;
    this.#number = this.#ports.count();
    const body = this.#frames([{ ...this.#greeting(this.#hello), id: HELLO }, ...this.#wants.ask(HELLO + 1)]);
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

  /** `hello` as the present connection of the client's instance says it: what another one said before it does not count any more. */
  #greeting(hello: Hello): Hello {
    const { instance } = hello;
    if (!instance) return hello;
    return { ...hello, instance: { ...instance, connection: instance.connection + this.#number } };
  }

  /** Messages as the frames of a body, each within the server's limits. */
  #frames(messages: readonly ClientMessageInput[]): string {
    const frames: string[][] = [[]];
    let bytes = 2;
    for (const message of messages) {
      const text = JSON.stringify(message);
      const frame = frames.at(-1) ?? [];
      bytes += byteLength(text) + 1;
      if (frame.length > 0 && (bytes > this.#limits.frameBytes || frame.length >= this.#limits.frameMessages)) {
        frames.push([text]);
        bytes = byteLength(text) + 3;
      } else frame.push(text);
    }
    return frames.map((texts) => `[${texts.join(",")}]`).join(FRAME_END);
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
      this.#retryAfter = 0;
      this.#isGreeted = true;
      const id = this.#refresh?.id ?? (this.#wasGreeted ? undefined : this.#hello?.id);
      this.#wasGreeted = true;
      this.#isLapsed = false;
      this.#refresh = undefined;
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
    const refresh = this.#refresh;
    if (refresh && this.#hello) {
      // The token before it may still hold.
      this.#hello = { ...this.#hello, token: refresh.before };
      this.#refresh = undefined;
      this.#isSpared = true;
      told.push({ ...message, id: refresh.id });
    } else if (!this.#wasGreeted) told.push({ ...message, id: this.#hello?.id });
    else if (isOfToken(message)) this.#lapse(message, told);
    else {
      this.#isSpared = message.retryable;
      this.#retryAfter = message.retryAfter ?? 0;
      if (!message.retryable) told.push({ ...message, id: undefined });
    }
  }

  /** A POST was refused. @returns whether it is worth trying again */
  #refused(said: Said): boolean {
    if (said.type !== "error" || this.#isLapsed) return false;
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
    this.#isLapsed = true;
    this.#isSpared = true;
    this.#wants.clear();
    this.#upward.clear();
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
    if (this.#isLapsed) return;
    this.#failures++;
    if (!this.#wasGreeted || this.#failures >= FAILURES || (status >= 400 && status < 500 && status !== 429)) {
      return this.#end(GONE, "");
    }
    this.#askSoon(Math.max(retryAfter, this.#retryAfter, fullJitter(this.#failures, runtime.random(), 250)));
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
    this.#ports.runtime.defer(() => this.#events.closed(code, reason));
  }
}

function isOfToken({ code }: ErrorMessage): boolean {
  return code === "token-expired" || code === "token-invalid" || code === "token-revoked" || code === "needs-auth";
}

function error(code: "needs-auth" | "not-subscribed") {
  return { type: "error", code, message: "", retryable: code === "needs-auth" } as const;
}
