import type {
  ClientMessageInput,
  Encoded,
  ErrorMessage,
  FrameCodec,
  Limits,
  Request,
  ServerMessage,
  Welcome,
} from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { Credit } from "./credit.ts";
import { readFrame } from "./inbound.ts";
import type { Check, Link, Question } from "./link.ts";
import { Liveness } from "./liveness.ts";
import { byteLength, Sender } from "./sender.ts";

/** A server that leaves a request unanswered for this long, in milliseconds, is given up. */
const ANSWER_MS = 60_000;

export interface SessionEvents {
  /** A message that answers no request of those that ride on this session. */
  message(message: ServerMessage): void;
  /** All messages of a frame were handed over. */
  frameEnd(): void;
  /** Before a turn's frames are made. */
  fill(): void;
  /** The check of a message that is none of the client's own, if anybody takes it. */
  checkOf(type: string): Check | undefined;
  latency(ms: number): void;
  /** This connection cannot be trusted any more. */
  broken(error: TandemError): void;
}

interface Waiting {
  readonly answered: (answer: ServerMessage) => void;
  readonly since: number;
  /** Counts against the limit `requests`: publishes have a window of their own. */
  readonly counted: boolean;
}

/** One connection from its socket's opening to its end: frames, requests and their answers, credit, liveness. */
export class Session implements Link {
  readonly codec: FrameCodec;
  readonly #runtime: Runtime;
  readonly #events: SessionEvents;
  readonly #sender: Sender;
  readonly #credit: Credit;
  readonly #liveness: Liveness;
  readonly #waiting = new Map<number, Waiting>();
  readonly #questions: [Question, Waiting["answered"]][] = [];
  #welcome: Welcome | undefined;
  #asked = 0;
  #nextId = 1;
  #ended = false;
  #clockAhead = 0;

  constructor(runtime: Runtime, codec: FrameCodec, write: (frame: Encoded) => void, events: SessionEvents) {
    this.codec = codec;
    this.#runtime = runtime;
    this.#events = events;
    this.#sender = new Sender({ runtime, codec, write, fill: () => this.#fill() });
    this.#credit = new Credit(runtime, () => this.#sender.schedule());
    const dead = () => events.broken(new TandemError("ping-timeout", "The server gave no sign of life, or no answer."));
    this.#liveness = new Liveness(runtime, {
      ping: () => {
        const oldest = this.#waiting.values().next().value;
        if (oldest && runtime.elapsed() - oldest.since > ANSWER_MS) dead();
        else this.post({ type: "ping" });
      },
      dead,
      latency: (ms) => events.latency(ms),
    });
  }

  /** Nobody rides on a session that was not welcomed. */
  get welcome(): Welcome {
    return this.#welcome as Welcome;
  }

  get limits(): Limits {
    return this.welcome.limits;
  }

  get ended(): boolean {
    return this.#ended;
  }

  serverTime(): number {
    return this.#runtime.elapsed() + this.#clockAhead;
  }

  nextId(): number {
    return this.#nextId++;
  }

  post(message: ClientMessageInput): boolean {
    const encoded = this.codec.encode(message);
    if (!this.#fits(encoded)) return false;
    if (!this.#ended) this.#sender.postEncoded(encoded);
    return true;
  }

  ask(question: Question, answered: (answer: ServerMessage) => void): void {
    this.#questions.push([question, answered]);
    this.#askOn();
  }

  send(id: number, encoded: Encoded, answered: (answer: ServerMessage) => void): void {
    this.#waiting.set(id, { answered, since: this.#runtime.elapsed(), counted: false });
    this.#sender.postEncoded(encoded);
  }

  wake(): void {
    this.#sender.schedule();
  }

  broken(message: string): void {
    if (!this.#ended) this.#events.broken(new TandemError("bad-frame", message));
  }

  /** Takes the server's word for limits and time, from `hello`'s or `refresh`'s answer. */
  welcomed(welcome: Welcome): void {
    const { limits, time } = welcome;
    const first = !this.#welcome;
    this.#welcome = welcome;
    this.#sender.limits = limits;
    this.#clockAhead = time - this.#runtime.elapsed();
    if (first) this.#liveness.start(limits);
  }

  /** Forgets the requests that wait: the server has dropped them. */
  drop(): void {
    this.#waiting.clear();
    this.#questions.length = 0;
    this.#asked = 0;
  }

  /** Is the connection still there? Finds out soon. */
  probe(): void {
    this.#liveness.probe();
  }

  receive(frame: Encoded): void {
    if (this.#ended) return;
    let messages: ServerMessage[];
    try {
      messages = readFrame(this.codec, frame, this.#events.checkOf);
    } catch (error) {
      return this.broken(error instanceof TandemError ? error.message : "A frame of the server could not be read.");
    }
    this.#liveness.heard();
    for (const message of messages) {
      this.#handle(message);
      if (this.#ended) return;
    }
    this.#events.frameEnd();
    if (!this.#ended) this.#credit.processed(frame.length);
  }

  end(): void {
    this.#ended = true;
    this.drop();
    this.#sender.stop();
    this.#credit.stop();
    this.#liveness.stop();
  }

  #handle(message: ServerMessage): void {
    switch (message.type) {
      case "ping":
        this.post({ type: "pong" });
        // Both sides fall silent together: our own question rides along, and keeps the measured latency fresh.
        return this.#liveness.probe();
      case "pong":
        if (message.time !== undefined) this.#clockAhead = message.time - this.#runtime.elapsed();
        return this.#liveness.pong();
      default:
        return this.#answer(message);
    }
  }

  #answer(message: ServerMessage): void {
    const id = "id" in message ? message.id : undefined;
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (message.type === "error" && message.code === "needs-auth") {
      // An answer to what was dropped tells of an earlier lapse.
      if (id === undefined || waiting) this.#events.message(message);
      return;
    }
    if (id === undefined || !waiting) return this.#events.message(message);
    this.#waiting.delete(id);
    if (waiting.counted) {
      this.#asked--;
      this.#askOn();
    }
    waiting.answered(message);
  }

  #askOn(): void {
    // One place is left for `refresh`, which waits for nobody.
    while (this.#asked < Math.max(1, this.limits.requests - 1)) {
      const next = this.#questions.shift();
      if (!next || this.#ended) return;
      const id = this.nextId();
      this.#asked++;
      this.#waiting.set(id, { answered: next[1], since: this.#runtime.elapsed(), counted: true });
      const encoded = this.codec.encode({ ...next[0], id } as Request);
      if (this.#fits(encoded)) this.#sender.postEncoded(encoded);
      else this.#runtime.defer(() => this.#answer(tooLong(next[0], id)));
    }
  }

  /** The server closes the connection over a frame that is too long: it would be sent again on each that follows. */
  #fits(encoded: Encoded): boolean {
    return !this.#welcome || byteLength(encoded) + 2 <= this.limits.frameBytes;
  }

  #fill(): void {
    this.#events.fill();
    const frames = this.#credit.take(!this.#sender.isEmpty);
    if (frames !== undefined) this.#sender.post({ type: "received", frames });
  }
}

function tooLong({ type, channel }: Question, id: number): ErrorMessage {
  const code = type === "enter" ? "state-too-large" : "bad-message";
  return { type: "error", id, channel, code, message: "It is longer than the server takes.", retryable: false };
}
