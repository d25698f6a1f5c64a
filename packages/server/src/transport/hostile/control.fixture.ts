import { isErrorCode, mintProducer } from "@tandem/protocol";
import { expect } from "vitest";
import { WebSocket } from "ws";

const CHANNEL = "room:control";

/**
 * A well-behaved client beside a hostile one. From `start` on it publishes without a pause, one publish after the other, and reads
 * what it wrote; `lostNothing` holds that everything came back, each once, in order, and nothing else.
 */
export class Control {
  readonly #socket: WebSocket;
  readonly #producer = mintProducer(Date.now(), "c".repeat(22));
  readonly #read: unknown[] = [];
  readonly #faults: string[] = [];
  #published = 0;
  #acknowledged = 0;
  #frames = 0;
  #stopping = false;
  #changed: () => void = () => {};

  constructor(url: string, token: string) {
    this.#socket = new WebSocket(url, "tandem.v1.json");
    this.#socket.on("open", () => this.#say({ type: "hello", id: 1, token }));
    this.#socket.on("message", (data) => {
      for (const message of JSON.parse(String(data))) this.#hear(message);
      this.#say({ type: "received", frames: ++this.#frames });
      this.#changed();
    });
    this.#socket.on("close", (code) => this.#fault(`it was closed with ${code}`));
    this.#socket.on("error", (error) => this.#fault(error.message));
  }

  #fault(sentence: string): void {
    this.#faults.push(sentence);
    this.#changed();
  }

  #say(message: object): void {
    this.#socket.send(JSON.stringify([message]));
  }

  // biome-ignore lint/suspicious/noExplicitAny: what comes is checked by the assertions.
  #hear(message: any): void {
    switch (message.type) {
      case "welcome":
        return this.#say({ type: "subscribe", id: 2, channel: CHANNEL });
      case "subscribed":
        return this.#publish();
      case "published":
        this.#acknowledged++;
        // A turn's pause, so that a test costs hundreds of these and not tens of thousands.
        if (!this.#stopping) setTimeout(() => this.#publish(), 2);
        return;
      case "events":
        for (const { data } of message.events) this.#read.push(data.text);
        return;
      case "ping":
        return this.#say({ type: "pong" });
      case "error":
        expect(isErrorCode(message.code)).toBe(true);
        return this.#fault(`it was told ${message.code}`);
    }
  }

  #publish(): void {
    if (this.#stopping || this.#socket.readyState !== this.#socket.OPEN) return;
    const seq = ++this.#published;
    const producer = this.#producer;
    this.#say({
      type: "publish",
      id: seq + 2,
      channel: CHANNEL,
      event: "message",
      data: { text: `${seq}` },
      producer,
      seq,
    });
  }

  async #until(condition: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#changed = () => {
        if (condition() || this.#faults.length > 0) resolve();
      };
      this.#changed();
    });
  }

  /** Resolves once it publishes and reads. */
  async start(): Promise<void> {
    await this.#until(() => this.#read.length > 0 && this.#acknowledged > 0);
  }

  /** Waits for `count` more of its own events, to see that it is served, then goes on. */
  async served(count = 3): Promise<void> {
    const from = this.#read.length;
    await this.#until(() => this.#read.length >= from + count);
    expect(this.#faults).toEqual([]);
  }

  async lostNothing(): Promise<void> {
    await this.served();
    this.#stopping = true;
    await this.#until(() => this.#acknowledged === this.#published && this.#read.length >= this.#published);
    expect(this.#faults).toEqual([]);
    expect(this.#read).toEqual(Array.from({ length: this.#published }, (_, at) => `${at + 1}`));
    expect(this.#acknowledged).toBe(this.#published);
    this.#socket.removeAllListeners("close");
    this.#socket.terminate();
  }
}
