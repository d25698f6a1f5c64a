import type { ClientMessageInput, Encoded, ErrorMessage, FrameCodec, ServerMessage } from "@tandem/protocol";
import { HTTP_PATHS } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Socket, SocketEvents } from "../connect.ts";
import type { Said } from "./answer.ts";
import type { FrameLimits } from "./body.ts";
import { UNTOLD } from "./body.ts";
import { Downward } from "./downward.ts";
import { Greeting, isOfToken } from "./greeting.ts";
import type { Post } from "./post.ts";
import { Upward } from "./upward.ts";
import type { Wanting } from "./wants.ts";
import { Wants } from "./wants.ts";

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
 */
export class HttpSocket implements Socket {
  readonly transport: "sse" | "poll";
  readonly #url: URL;
  readonly #ports: HttpSocketPorts;
  readonly #events: SocketEvents;
  readonly #wants = new Wants();
  readonly #greeting = new Greeting();
  readonly #downward: Downward;
  readonly #upward: Upward;
  /** What this client says of itself and is changing, as it was before, by the request's id. */
  readonly #changing = new Map<number, Wanting>();
  #limits: FrameLimits = UNTOLD;
  #isOver = false;

  /** @param url of the WebSocket */
  constructor(transport: "sse" | "poll", url: string, ports: HttpSocketPorts, events: SocketEvents) {
    this.transport = transport;
    this.#url = new URL(url.replace(/^ws/, "http"));
    this.#ports = ports;
    this.#events = events;
    const { runtime, post, count } = ports;
    const limits = () => this.#limits;
    this.#downward = new Downward({
      runtime,
      post,
      url: this.#under(HTTP_PATHS.stream),
      isStream: transport === "sse",
      greeting: this.#greeting,
      wants: this.#wants,
      limits,
      count,
      welcomed: (welcome) => {
        this.#limits = welcome.limits;
      },
      said: (messages) => this.#tell(messages),
      lapsed: (said) => this.#lapse(said),
      ended: (code, reason) => this.#end(code, reason),
    });
    this.#upward = new Upward({
      runtime,
      post,
      url: this.#under(HTTP_PATHS.send),
      limits,
      hello: () => this.#greeting.message,
      said: (messages) => this.#answeredUp(messages as ServerMessage[]),
      refused: (said) => this.#refused(said),
      failed: () => this.#end(GONE, ""),
    });
    runtime.defer(() => this.#isOver || events.opened());
  }

  /** What streams is held back on its way until it is over. */
  get isHeldBack(): boolean {
    return this.#downward.isHeldBack;
  }

  send(frame: Encoded): void {
    if (this.#isOver) return;
    const up: ClientMessageInput[] = [];
    const answers: ServerMessage[] = [];
    for (const message of this.#ports.codec.decode(frame) as ClientMessageInput[]) this.#route(message, up, answers);
    if (up.length > 0) this.#upward.send(up);
    if (answers.length > 0) this.#ports.runtime.defer(() => this.#tell(answers));
    this.#downward.wake();
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
        this.#downward.change();
        return;
      case "refresh":
        this.#greeting.renew(message);
        this.#downward.change();
        return;
      case "subscribe":
      case "watch":
        return this.#want(message, answers);
      case "enter": {
        const before = this.#wants.change(message);
        if (!before) return this.#want(message, answers);
        this.#changing.set(message.id, before);
        up.push(message);
        return;
      }
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
    this.#downward.change();
  }

  #unwant(
    type: Wanting["type"],
    { channel }: { channel: string },
    answer: ServerMessage,
    answers: ServerMessage[],
  ): void {
    this.#forget(type, channel, answers);
    this.#downward.change();
    answers.push(answer);
  }

  /** A request that is not answered when its end is asked for is told so, as the server would. */
  #forget(type: Wanting["type"], channel: string, answers: ServerMessage[]): void {
    const id = this.#wants.remove(type, channel);
    if (id !== undefined) answers.push({ ...error("not-subscribed"), id, channel });
  }

  /**
   * What was posted is answered. Of a change that is refused, what was said before still holds; but who is told that it is not there any more is not: what
   * comes down is asked for without it.
   */
  #answeredUp(messages: readonly ServerMessage[]): void {
    for (const message of messages) {
      const before = "id" in message && message.id !== undefined ? this.#changing.get(message.id) : undefined;
      if (before === undefined || !("id" in message) || message.id === undefined) continue;
      this.#changing.delete(message.id);
      if (message.type !== "error") continue;
      if (message.code === "not-a-member" || message.code === "forbidden") this.#wants.remove("enter", before.channel);
      else this.#wants.change(before);
      this.#downward.change();
    }
    this.#tell(messages);
    this.#downward.wake();
  }

  /** A POST was refused. @returns whether it is worth trying again */
  #refused(said: Said): boolean {
    if (said.type !== "error" || this.#greeting.isLapsed) return false;
    if (!isOfToken(said)) {
      if (!said.retryable) this.#end(4400, said.code);
      return said.retryable;
    }
    this.#tell([this.#lapse(said)]);
    return false;
  }

  /** The token has ended: as on a WebSocket, the server has let go of everything. */
  #lapse({ message }: ErrorMessage): ServerMessage {
    this.#greeting.lapse();
    this.#wants.clear();
    this.#downward.lapse();
    this.#upward.clear();
    this.#changing.clear();
    return { ...error("needs-auth"), message };
  }

  #tell(messages: readonly ServerMessage[]): void {
    if (this.#isOver) return;
    const { codec } = this.#ports;
    this.#events.frame(codec.join(messages.map((message) => codec.encode(message))));
  }

  #stop(): void {
    this.#isOver = true;
    this.#downward.stop();
  }

  #end(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#stop();
    this.#upward.clear();
    this.#changing.clear();
    this.#ports.runtime.defer(() => this.#events.closed(code, reason));
  }
}

function error(code: "needs-auth" | "not-subscribed") {
  return { type: "error", code, message: "", retryable: code === "needs-auth" } as const;
}
