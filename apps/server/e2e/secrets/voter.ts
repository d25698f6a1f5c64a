import { randomBytes } from "node:crypto";
import type { ClientMessageInput, ServerMessage } from "@tandem/protocol";
import { jsonCodec, mintProducer } from "@tandem/protocol";

type Cast = Extract<ClientMessageInput, { type: "command" }>;

/** One user's connection on Tandem's own wire: it casts ballots, and keeps every frame that it is sent. */
export class Voter {
  readonly user: string;
  /** Every frame that came, as it came. */
  readonly frames: string[] = [];
  /** The nonces of its commands: they are nobody else's to know. */
  readonly nonces: string[] = [];
  readonly #socket: WebSocket;
  readonly #producer = mintProducer(Date.now(), randomBytes(16).toString("base64url"));
  readonly #waiting = new Map<number, (message: ServerMessage) => void>();
  readonly #seqs = new Map<string, number>();
  #asked = 0;

  private constructor(user: string, url: string) {
    this.user = user;
    this.#socket = new WebSocket(url, jsonCodec.subprotocol);
    this.#socket.addEventListener("message", ({ data }) => this.#take(String(data)));
  }

  /** Connects, and subscribes to the channels. */
  static async connect(user: string, url: string, token: string, channels: readonly string[]): Promise<Voter> {
    const voter = new Voter(user, url);
    await new Promise((resolve) => voter.#socket.addEventListener("open", resolve, { once: true }));
    await voter.#ask({ type: "hello", token });
    await Promise.all(channels.map((channel) => voter.#ask({ type: "subscribe", channel })));
    return voter;
  }

  /** Casts a ballot; so many times more it is sent again, as after a lost answer. */
  async cast(channel: string, proposal: string, choice: number, retries: number): Promise<void> {
    const seq = (this.#seqs.get(channel) ?? 0) + 1;
    this.#seqs.set(channel, seq);
    const nonce = randomBytes(16).toString("base64url").slice(0, 22);
    this.nonces.push(nonce);
    const command: Omit<Cast, "id"> = {
      type: "command",
      channel,
      model: "votes",
      command: "cast",
      input: { proposal, choice },
      producer: this.#producer,
      seq,
      nonce,
    };
    for (let attempt = 0; attempt <= retries; attempt++) {
      const answer = await this.#ask(command);
      if (answer.type !== "published") throw new Error(`not cast: ${JSON.stringify(answer)}`);
    }
  }

  close(): void {
    this.#socket.close(1000);
  }

  #ask(message: DistributiveOmit<ClientMessageInput, "id">): Promise<ServerMessage> {
    const id = ++this.#asked;
    this.#send({ ...message, id } as ClientMessageInput);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  #take(frame: string): void {
    this.frames.push(frame);
    for (const message of jsonCodec.decode(frame) as ServerMessage[]) {
      if (message.type === "ping") this.#send({ type: "pong" });
      if (!("id" in message) || message.id === undefined) continue;
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    }
    this.#send({ type: "received", frames: this.frames.length });
  }

  #send(message: ClientMessageInput): void {
    this.#socket.send(jsonCodec.join([jsonCodec.encode(message)]));
  }
}

type DistributiveOmit<T, K extends string> = T extends unknown ? Omit<T, K> : never;
