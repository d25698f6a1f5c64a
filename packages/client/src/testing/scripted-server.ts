import type { ClientMessageInput, Limits, ServerMessage, Welcome } from "@tandem/protocol";
import { chainTag, DEFAULT_LIMITS, jsonCodec } from "@tandem/protocol";
import type { Connect, SocketEvents } from "../transport/connect.ts";
import type { VirtualRuntime } from "./virtual-runtime.ts";

type Sent<T extends ClientMessageInput["type"]> = Extract<ClientMessageInput, { type: T }>;

/** One connection of a client, seen from the server. A test reads what was sent and says what the server says. */
export class ScriptedConnection {
  readonly url: string;
  readonly subprotocol: string;
  /** Frames that the client sent, as messages. */
  readonly frames: ClientMessageInput[][] = [];
  closedWith: number | undefined;
  answersPings = true;
  readonly #events: SocketEvents;
  readonly #runtime: VirtualRuntime;
  #read = 0;

  constructor(url: string, subprotocol: string, events: SocketEvents, runtime: VirtualRuntime) {
    this.url = url;
    this.subprotocol = subprotocol;
    this.#events = events;
    this.#runtime = runtime;
  }

  get messages(): ClientMessageInput[] {
    return this.frames.flat();
  }

  /** All messages of a type that were sent so far. */
  all<T extends ClientMessageInput["type"]>(type: T): Sent<T>[] {
    return this.messages.filter((message): message is Sent<T> => message.type === type);
  }

  /** The last message of a type. */
  last<T extends ClientMessageInput["type"]>(type: T): Sent<T> {
    const found = this.all(type).at(-1);
    if (!found) throw new Error(`The client sent no ${type}.`);
    return found;
  }

  /** What was sent since this was called last, without credit, pings and pongs. */
  fresh(): ClientMessageInput[] {
    const { messages } = this;
    const fresh = messages.slice(this.#read);
    this.#read = messages.length;
    return fresh.filter(({ type }) => type !== "received" && type !== "ping" && type !== "pong");
  }

  async open(): Promise<void> {
    this.#events.opened();
    await this.#runtime.settle();
  }

  /** One frame of messages from the server. */
  async say(...messages: (ServerMessage | Record<string, unknown>)[]): Promise<void> {
    await this.raw(jsonCodec.join(messages.map((message) => jsonCodec.encode(message))));
  }

  async raw(frame: string | Uint8Array): Promise<void> {
    this.#events.frame(frame);
    await this.#runtime.settle();
  }

  /** The connection ends, by the server or by the network. */
  async end(code = 1006, reason = ""): Promise<void> {
    this.#events.closed(code, reason);
    await this.#runtime.settle();
  }

  /** Opens, and welcomes the client. */
  async welcome(changes: Partial<Omit<Welcome, "limits">> & { limits?: Partial<Limits> } = {}): Promise<void> {
    if (this.frames.length === 0) await this.open();
    const { limits, ...fields } = changes;
    await this.say({
      type: "welcome",
      id: 1,
      connection: "c1",
      user: "ada",
      tenant: "default",
      time: this.#runtime.now(),
      ...fields,
      limits: { ...DEFAULT_LIMITS, ...limits },
    });
    this.fresh();
  }

  /** Answers each of these publishes as stored from `offset` on. */
  async store(publishes: readonly Sent<"publish">[], offset = 1): Promise<void> {
    const answers = publishes.map(({ id }, index) => ({ type: "published", id, position: at(offset + index) }));
    await this.say(...answers);
  }

  receive(frame: string | Uint8Array): void {
    if (typeof frame !== "string") throw new Error("A frame of text was expected.");
    const messages: ClientMessageInput[] = JSON.parse(frame);
    this.frames.push(messages);
    if (!this.answersPings || !messages.some(({ type }) => type === "ping")) return;
    this.#runtime.defer(() => this.#events.frame('[{"type":"pong"}]'));
  }
}

/** The server's end of every connection that a client opens. */
export class ScriptedServer {
  readonly connections: ScriptedConnection[] = [];
  /** What opening a connection throws. */
  refuses: Error | undefined;
  readonly #runtime: VirtualRuntime;

  constructor(runtime: VirtualRuntime) {
    this.#runtime = runtime;
  }

  readonly connect: Connect = (url, subprotocol, events) => {
    if (this.refuses) throw this.refuses;
    const connection = new ScriptedConnection(url, subprotocol, events, this.#runtime);
    this.connections.push(connection);
    return {
      send: (frame) => connection.receive(frame),
      close: (code) => {
        connection.closedWith = code;
      },
    };
  };

  /** The newest connection. */
  get present(): ScriptedConnection {
    const connection = this.connections.at(-1);
    if (!connection) throw new Error("The client has not connected.");
    return connection;
  }
}

/** A position in the history of the tests' channel, whose events are named by their offset. */
export function at(offset: number, epoch = "e1") {
  let tag = "";
  for (let before = 1; before <= offset; before++) tag = chainTag(tag, `id-${before}`);
  return { epoch, offset, tag };
}

/** Events `first … last` as the server delivers them. */
export function events(
  channel: string,
  from: number,
  to: number,
  data: (offset: number) => unknown = (offset) => offset,
) {
  const list = [];
  for (let offset = from + 1; offset <= to; offset++) {
    list.push({ offset, id: `id-${offset}`, type: "message", time: offset, data: data(offset) });
  }
  return {
    type: "events" as const,
    channel,
    from,
    to,
    tag: at(to).tag,
    ...(from === 0 ? { epoch: "e1" } : {}),
    events: list,
  };
}
