import type { ClientMessageInput, ErrorMessage, Events, Position, ServerMessage } from "@tandem/protocol";

/** What makes a connection one that is delivered to. */
export type Wanting = Extract<ClientMessageInput, { type: "subscribe" | "watch" | "enter" }>;

const ANSWERS = { subscribe: "subscribed", watch: "watching", enter: "entered" } as const;

/** Where the server names no time, what goes on and was refused for now is asked for again after so many milliseconds. */
const RETRY_MS = 1_000;

/** Something that every request for what comes down asks for. */
interface Want {
  message: Wanting;
  /** The client waits for its answer. */
  isNew: boolean;
  /** Up to where a subscription was delivered. */
  position: Position | undefined;
  /** What the server calls that which it has told of a watch; `undefined`: it has told more since. */
  bookmark: string | undefined;
}

/**
 * What a client has asked to be delivered, with the positions it has reached: enough to go on at any node by asking for it again.
 * What the client was answered already is not answered again.
 */
export class Wants {
  readonly #wants = new Map<string, Want>();
  /** What the present request asks for, by the id in it. */
  readonly #asked = new Map<number, Want>();
  /** Milliseconds after which what was refused for now is to be asked for again. */
  #retryAfter: number | undefined;

  /** Is something not answered yet? */
  get hasNew(): boolean {
    return [...this.#wants.values()].some(({ isNew }) => isNew);
  }

  /** Has the present request been answered? */
  get isSettled(): boolean {
    return this.#asked.size === 0;
  }

  /** Is something to be asked for again that goes on, and was refused for now? @returns after how many milliseconds; once */
  takeRetry(): number | undefined {
    const after = this.#retryAfter;
    this.#retryAfter = undefined;
    return after;
  }

  add(message: Wanting): void {
    this.#wants.set(keyOf(message.type, message.channel), {
      message,
      isNew: true,
      position: undefined,
      bookmark: undefined,
    });
  }

  /** What was said of oneself has changed: from now on that is asked for. @returns what was asked for before */
  change(message: Wanting): Wanting | undefined {
    const want = this.#wants.get(keyOf(message.type, message.channel));
    const before = want?.message;
    if (want) want.message = message;
    return before;
  }

  /** @returns the id of the request that waits for its answer, if one does */
  remove(type: Wanting["type"], channel: string): number | undefined {
    const key = keyOf(type, channel);
    const want = this.#wants.get(key);
    this.#wants.delete(key);
    return want?.isNew ? want.message.id : undefined;
  }

  clear(): void {
    this.#wants.clear();
    this.#asked.clear();
  }

  /** The channels entered, with the number of what was said of oneself there last. */
  get entered(): { readonly channel: string; readonly seq: number }[] {
    return [...this.#wants.values()].flatMap(({ message }) => (message.type === "enter" ? [message] : []));
  }

  /** The messages that ask for everything, under ids from `first` on. */
  ask(first: number): ClientMessageInput[] {
    this.#asked.clear();
    let id = first;
    return [...this.#wants.values()].map((want) => {
      this.#asked.set(id, want);
      return { ...goingOn(want), id: id++ };
    });
  }

  /** @returns what the client is to be told of a message from the server: nothing where it knows */
  take(message: ServerMessage): ServerMessage | undefined {
    const id = "id" in message ? message.id : undefined;
    if (id !== undefined) return this.#answered(id, message);
    if (!("channel" in message) || message.channel === undefined) return message;
    const { type, channel } = message;
    if (type === "events" || type === "reset") {
      const want = this.#wants.get(keyOf("subscribe", channel));
      // Of a subscription that was left, or that is not answered yet.
      if (!want?.position) return undefined;
      want.position = type === "reset" ? message.position : after(want.position, message);
    } else if (type === "members" || type === "signals" || type === "bookmark") {
      const want = this.#wants.get(keyOf("watch", channel));
      // Likewise.
      if (!want || want.isNew) return undefined;
      want.bookmark = type === "bookmark" ? message.bookmark : undefined;
      if (type === "bookmark") return undefined;
    } else if (type === "unsubscribed") this.#wants.delete(keyOf("subscribe", channel));
    else if (type === "unwatched") this.#wants.delete(keyOf("watch", channel));
    return message;
  }

  #answered(id: number, answer: ServerMessage): ServerMessage | undefined {
    const want = this.#asked.get(id);
    this.#asked.delete(id);
    if (!want) return undefined;
    const { message, isNew } = want;
    const { type, channel } = message;
    if (this.#wants.get(keyOf(type, channel)) !== want) return undefined;
    if (answer.type === "error" && answer.retryable && !isNew) {
      this.#retryAfter = Math.max(this.#retryAfter ?? 0, answer.retryAfter ?? RETRY_MS);
      return undefined;
    }
    want.isNew = false;
    if (answer.type === "error") this.#wants.delete(keyOf(type, channel));
    else if (answer.type !== ANSWERS[type]) return undefined;
    if (isNew && answer.type === "subscribed") want.position = answer.position;
    if (isNew) return { ...answer, id: message.id } as ServerMessage;
    if (answer.type === "error") return endOf(message, { ...answer, id: undefined, channel });
    if (answer.type !== "subscribed") return undefined;
    const { position, reset } = answer;
    want.position = position;
    return reset && { type: "reset", channel, position, reason: reset };
  }
}

/** How a client is told that it goes on no longer: as a server would tell it that speaks first. */
function endOf(want: Wanting, error: ErrorMessage): ServerMessage {
  const { channel } = want;
  switch (want.type) {
    case "subscribe":
      return error;
    case "watch":
      return { type: "unwatched", channel };
    case "enter":
      // It asks to be let in again, and learns why not.
      return { ...error, type: "unsignalled", channel, seq: want.seq, code: "not-a-member", retryable: true };
  }
}

/** What asks for the rest of it. */
function goingOn({ message, position, bookmark }: Want): Wanting {
  if (message.type === "watch" && bookmark !== undefined) return { ...message, after: bookmark };
  if (message.type !== "subscribe" || !position) return message;
  const { atLeast: _, ...rest } = message;
  return { ...rest, from: position };
}

/** The position at the end of a range. Its first event gives a channel its epoch. */
function after(position: Position, { from, to, tag, epoch }: Events): Position {
  return { epoch: from === 0 && epoch !== undefined ? epoch : position.epoch, offset: to, tag };
}

function keyOf(type: Wanting["type"], channel: string): string {
  return `${type} ${channel}`;
}
