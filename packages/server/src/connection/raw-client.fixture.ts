import type { Codec, Encoded, ServerMessage } from "@tandem/protocol";
import { jsonCodec, mintProducer, ServerMessageSchema } from "@tandem/protocol";
import * as v from "valibot";
import type { Frame } from "../delivery/frame.ts";
import type { VirtualRuntime } from "./runtime.fixture.ts";
import type { Transport, TransportEvents } from "./transport.ts";

type Told<T extends ServerMessage["type"]> = Extract<ServerMessage, { type: T }>;

/**
 * A client that speaks wire messages over a transport in memory. Checks of everything that the server says that it is
 * well-formed and that ranges join up; what is wrong stands in `faults`.
 */
export class RawClient implements Transport {
  readonly codec: Codec;
  address = "192.0.2.1";
  side = false;
  oneWay = false;
  /** Everything that was read, in order. */
  readonly told: ServerMessage[] = [];
  readonly faults: string[] = [];
  /** Reads what comes; while it does not, bytes wait in the socket. */
  reading = true;
  /** Bytes a second that reach it; the network between takes whatever it is given. 0: all at once. */
  bytesPerSecond = 0;
  /** Longest time between two frames, while some were on the way, in milliseconds. */
  longestSilence = 0;
  /** Acknowledges what it has read. */
  acknowledges = true;
  /** Whose close it was does not matter: how it ended. `destroyed`: without a word. */
  end: { readonly code: number; readonly reason: string } | "destroyed" | undefined;
  /** Frames that came. */
  frames = 0;
  readonly #runtime: VirtualRuntime;
  readonly #at = new Map<string, number>();
  readonly #producer: string;
  #server: TransportEvents | undefined;
  #socket: Uint8Array[] = [];
  #arriving = false;
  #ids = 0;

  constructor(runtime: VirtualRuntime, codec: Codec = jsonCodec) {
    this.#runtime = runtime;
    this.codec = codec;
    this.#producer = mintProducer(runtime.now(), runtime.randomId());
  }

  connect(accept: (transport: Transport) => TransportEvents): this {
    this.#server = accept(this);
    return this;
  }

  send(frame: Frame): void {
    if (!this.end) this.#socket.push(frame.payload);
  }

  flush(): void {
    this.#read();
  }

  buffered(): number {
    if (this.bytesPerSecond > 0) return 0;
    return this.#socket.reduce((bytes, frame) => bytes + frame.byteLength, 0);
  }

  close(code: number, reason: string): void {
    this.#finish({ code, reason });
  }

  destroy(): void {
    this.#socket = [];
    this.#finish("destroyed");
  }

  #finish(end: NonNullable<RawClient["end"]>): void {
    if (this.end) return;
    this.end = end;
    this.#runtime.defer(() => this.#server?.closed(end === "destroyed" ? 1006 : end.code, ""));
  }

  /** The client goes away. */
  leave(): void {
    this.#finish({ code: 1000, reason: "" });
  }

  /** Reads again what waited. */
  resume(): void {
    this.reading = true;
    this.#read();
  }

  #read(): void {
    if (this.bytesPerSecond > 0) return this.#readSlowly();
    while (this.reading) {
      const frame = this.#socket.shift();
      if (!frame) return;
      this.#take(frame);
    }
  }

  /** One frame after the other, each in its time. */
  #readSlowly(): void {
    const [frame] = this.#socket;
    if (!frame || this.#arriving || !this.reading) return;
    this.#arriving = true;
    const takes = (frame.byteLength * 1_000) / this.bytesPerSecond;
    this.longestSilence = Math.max(this.longestSilence, takes);
    this.#runtime.timer(takes, () => {
      this.#arriving = false;
      if (this.end === "destroyed") return;
      this.#socket.shift();
      this.#take(frame);
      this.#read();
    });
  }

  #take(frame: Uint8Array): void {
    this.frames++;
    const messages = this.codec.decode(this.codec.name === "json" ? new TextDecoder().decode(frame) : frame);
    for (const message of messages) this.#hear(message);
    if (this.acknowledges) this.#runtime.defer(() => this.acknowledge());
  }

  #hear(message: unknown): void {
    const parsed = v.safeParse(ServerMessageSchema, message);
    if (!parsed.success) {
      this.faults.push(`not a message: ${JSON.stringify(message)}`);
      return;
    }
    const told = parsed.output;
    this.told.push(told);
    if (told.type === "subscribed" || told.type === "reset") this.#at.set(told.channel, told.position.offset);
    if (told.type === "unsubscribed") this.#at.delete(told.channel);
    if (told.type !== "events") return;
    const at = this.#at.get(told.channel);
    if (at !== told.from) this.faults.push(`${told.channel}: events from ${told.from} where it stood at ${at}`);
    let last = told.from;
    for (const { offset } of told.events) {
      if (offset <= last || offset > told.to) this.faults.push(`${told.channel}: event ${offset} after ${last}`);
      last = offset;
    }
    this.#at.set(told.channel, told.to);
  }

  /** Tells the server that everything read so far is processed, or `frames` frames. */
  acknowledge(frames = this.frames): void {
    if (!this.end) this.say({ type: "received", frames });
  }

  /** Sends messages in one frame. */
  say(...messages: readonly object[]): void {
    this.raw(this.codec.join(messages.map((message) => this.codec.encode(message))));
  }

  /** Sends a frame as it is. */
  raw(frame: Encoded): void {
    if (!this.end) this.#server?.frame(frame);
  }

  nextId(): number {
    return ++this.#ids;
  }

  /** Sends a request and returns what answered it, once everything has settled. */
  async ask(request: object): Promise<ServerMessage | undefined> {
    const id = this.nextId();
    this.say({ id, ...request });
    await this.#runtime.settle();
    return this.answer(id);
  }

  answer(id: number): ServerMessage | undefined {
    return this.told.find((message) => "id" in message && message.id === id);
  }

  hello(token: string, instance?: object): Promise<ServerMessage | undefined> {
    return this.ask({ type: "hello", token, ...(instance ? { instance } : {}) });
  }

  subscribe(channel: string, more: object = {}): Promise<ServerMessage | undefined> {
    return this.ask({ type: "subscribe", channel, ...more });
  }

  /** A publish of this client's own producer. */
  publishing(channel: string, seq: number, data: unknown = { text: `${seq}` }): object {
    return { type: "publish", channel, event: "message", data, producer: this.#producer, seq };
  }

  /** A command of this client's producer; `nonce` is made of its number. */
  commanding(channel: string, seq: number, command: string, input: object = {}, more: object = {}): object {
    const nonce = `nonce-${seq}-`.padEnd(22, "-");
    const asked = { type: "command", channel, model: "meter", command, version: 2, input, nonce };
    return { ...asked, producer: this.#producer, seq, ...more };
  }

  command(
    channel: string,
    seq: number,
    command: string,
    input?: object,
    more?: object,
  ): Promise<ServerMessage | undefined> {
    return this.ask(this.commanding(channel, seq, command, input, more));
  }

  publish(channel: string, seq: number, data?: unknown): Promise<ServerMessage | undefined> {
    return this.ask(this.publishing(channel, seq, data));
  }

  all<T extends ServerMessage["type"]>(type: T): Told<T>[] {
    return this.told.filter((message): message is Told<T> => message.type === type);
  }

  /** Events of a channel, in the order in which they came. */
  events(channel: string) {
    return this.all("events").flatMap((message) => (message.channel === channel ? message.events : []));
  }

  /** What the `message` events of a channel say. */
  texts(channel: string): unknown[] {
    return this.events(channel).map(({ data }) => (data as { text?: unknown } | null)?.text);
  }

  /** The codes of the errors that it was told. */
  errors(): string[] {
    return this.all("error").map(({ code }) => code);
  }

  /** Up to where everything is accounted for. */
  at(channel: string): number | undefined {
    return this.#at.get(channel);
  }
}
