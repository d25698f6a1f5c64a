import type { ServerMessage } from "@tandem/protocol";
import { jsonCodec, mintProducer } from "@tandem/protocol";
import { systemRuntime } from "@tandem/runtime";
import { EVENT } from "../servers/app.ts";
import { AcknowledgingSocket } from "./acknowledging-socket.ts";
import type { Wire, WireEvents, WireOptions } from "./wire.ts";

const EVENTS = Buffer.from('[{"type":"events"');

const runtime = systemRuntime();

/** A client on Tandem's own wire, with the frames that the client library would send. */
export class TandemWire implements Wire {
  readonly #socket: AcknowledgingSocket;
  readonly #options: WireOptions;
  readonly #events: WireEvents;
  readonly #waiting = new Map<number, () => void>();
  #producer: { readonly id: string; seq: number } | undefined;
  #ids = 2;

  constructor(options: WireOptions, events: WireEvents) {
    const { port, bytesPerSecond } = options;
    this.#options = options;
    this.#events = events;
    this.#socket = new AcknowledgingSocket(
      { port, bytesPerSecond },
      {
        opened: () => this.#socket.send({ type: "hello", id: 1, guest: { secret: runtime.randomId() } }),
        message: (bytes, start, end) => this.#frame(bytes, start, end),
        closed: (reason) => events.failed(new Error(reason)),
      },
    );
  }

  publish(payload: object, acknowledged: () => void): void {
    this.#producer ??= { id: mintProducer(runtime.now(), runtime.randomId()), seq: 0 };
    const producer = this.#producer;
    const id = ++this.#ids;
    this.#waiting.set(id, acknowledged);
    this.#socket.send({
      type: "publish",
      id,
      channel: this.#options.channel,
      event: EVENT,
      data: payload as Record<string, string>,
      producer: producer.id,
      seq: ++producer.seq,
    });
  }

  hurry(): void {
    this.#socket.hurry();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #frame(bytes: Buffer, start: number, end: number): void {
    // Frames of nothing but events, the most by far, are handed on as they are.
    if (bytes.compare(EVENTS, 0, EVENTS.length, start, start + EVENTS.length) !== 0 || !isEvents(bytes, end)) {
      for (const message of jsonCodec.decode(bytes.toString("utf8", start, end)) as ServerMessage[])
        this.#take(message);
    }
    this.#events.message(bytes, start, end);
  }

  #take(message: ServerMessage): void {
    const { channel, lane } = this.#options;
    switch (message.type) {
      case "welcome":
        return this.#socket.send({ type: "subscribe", id: 2, channel, ...(lane === undefined ? {} : { lane }) });
      case "subscribed":
        return this.#events.standing();
      case "published":
        this.#waiting.get(message.id)?.();
        this.#waiting.delete(message.id);
        return;
      case "ping":
        return this.#socket.send({ type: "pong" });
      case "events":
      case "pong":
        return;
      default:
        this.#events.failed(new Error(`Tandem answered ${JSON.stringify(message)}`));
        this.destroy();
    }
  }
}

const EVENTS_END = Buffer.from("}]}]");

/** Whether a frame that begins with events ends with them. What comes between is of the same lane, and so events too. */
function isEvents(bytes: Buffer, end: number): boolean {
  return bytes.compare(EVENTS_END, 0, EVENTS_END.length, end - EVENTS_END.length, end) === 0;
}
