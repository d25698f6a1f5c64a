import type { Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";
import { Names } from "../people/names.ts";
import type { People } from "../people/people.ts";
import type { Tools } from "../tools/tools.ts";
import type { ChannelPort, PublicationPort, SubscriptionPort, SubscriptionState } from "./channel-port.ts";
import type { Draft, Message, RoomEvent } from "./message.ts";
import { messageOf } from "./message.ts";
import type { Row } from "./rows.ts";
import { rowsOf } from "./rows.ts";
import type { Action, Past, Timeline } from "./timeline.ts";
import { EMPTY_TIMELINE, reduce } from "./timeline.ts";

/** What the page shows of a room. The same object until something changes. */
export interface RoomView {
  readonly rows: readonly Row[];
  readonly past: Past;
  /** Where the subscription stands. */
  readonly state: SubscriptionState;
  readonly following: boolean;
  readonly unread: number;
  /** Why the subscription ended. */
  readonly problem: string | undefined;
}

export interface RoomOptions {
  readonly id: string;
  readonly channel: ChannelPort;
  readonly people: People;
  /** The reader's user, once the server has told it. */
  readonly self: Store<string | undefined>;
  /** Opens what is shared beside the messages. @throws (by rejection) where its code cannot be had */
  readonly openTools: (names: Names) => Promise<Tools>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const FIRST_EVENTS = 50;
const PAGE_EVENTS = 100;

/** One room: its messages in the log's order, and the reader's own on their way there. Knows no page and no React. */
export class Room implements Store<RoomView> {
  readonly id: string;
  /** Who is in it. */
  readonly people: People;
  readonly names: Names;
  /** What the reader is writing. */
  readonly writing = new Cell("");
  readonly #channel: ChannelPort;
  readonly #self: Store<string | undefined>;
  readonly #openTools: RoomOptions["openTools"];
  readonly #now: () => number;
  readonly #subscription: SubscriptionPort;
  readonly #view: Cell<RoomView>;
  readonly #endings: (() => void)[] = [];
  /** The publications of the drafts, by key. */
  readonly #publications = new Map<string, PublicationPort>();
  #written = 0;
  #timeline: Timeline = EMPTY_TIMELINE;
  #problem: string | undefined;
  /** Counts the histories that this room has followed: a page asked of an earlier one is worth nothing. */
  #history = 0;
  #opening: Promise<Tools> | undefined;
  #tools: Tools | undefined;
  #closed = false;

  constructor({ id, channel, people, self, openTools, now }: RoomOptions) {
    this.id = id;
    this.people = people;
    this.names = new Names({ people, self });
    this.#openTools = openTools;
    this.#channel = channel;
    this.#self = self;
    this.#now = now;
    this.#view = new Cell<RoomView>({ ...this.#rowsAndPast(), state: "pending", problem: undefined });
    this.#subscription = channel.subscribe({
      last: FIRST_EVENTS,
      onEvents: (events) => {
        const from = events[0]?.offset;
        this.#dispatch({ type: "arrived", messages: this.#read(events), from, self: self.get() });
      },
      onReset: (offset) => this.#startAgain(offset),
      onError: (reason) => {
        this.#problem = reason;
        this.#show();
      },
    });
    this.#endings.push(
      this.#subscription.state.subscribe(() => this.#follow()),
      self.subscribe(() => this.#show()),
      () => this.#subscription.unsubscribe(),
    );
    this.#follow();
  }

  get = (): RoomView => this.#view.get();

  subscribe = (listener: () => void): (() => void) => this.#view.subscribe(listener);

  /** Publishes a message. Blank text is not sent. @returns whether it was */
  send(text: string, name: string): boolean {
    const trimmed = text.trim();
    if (trimmed === "") return false;
    const publication = this.#channel.publish({ text: trimmed, name });
    const key = `draft-${++this.#written}`;
    const { delivery } = publication;
    const draft: Draft = {
      key,
      id: publication.id(),
      time: this.#now(),
      name,
      text: trimmed,
      delivery: delivery.get(),
    };
    this.#publications.set(key, publication);
    this.#dispatch({ type: "written", draft });
    // A publication ends by itself, and its store with it: there is nothing to unsubscribe from.
    delivery.subscribe(() => this.#progress(key, publication));
    return true;
  }

  /** Takes an own message that was not stored off the page. @returns its text */
  takeBack(key: string): string | undefined {
    const draft = this.#timeline.drafts.find((one) => one.key === key);
    if (draft === undefined) return undefined;
    this.#dispatch({ type: "removed", key });
    return draft.text;
  }

  /** Publishes an own message that was not stored once more, as a new one. */
  sendAgain(key: string, name: string): void {
    const text = this.takeBack(key);
    if (text !== undefined) this.send(text, name);
  }

  /** Tells whether the reader sees the newest message. */
  follow(following: boolean): void {
    this.#dispatch({ type: "following", following });
  }

  /** Fetches the page before what is held: there may be no message in it. Does nothing while one is under way, or where there is none. */
  async loadOlder(): Promise<void> {
    const { past, from } = this.#timeline;
    if (past.kind !== "more" && past.kind !== "failed") return;
    await this.#load(from ?? this.#subscription.reached().offset + 1);
  }

  /** What is shared in the room beside its messages: opened when it is first asked for. @throws (by rejection) where its code cannot be had now */
  tools(): Promise<Tools> {
    this.#opening ??= this.#openTools(this.names).then(
      (tools) => {
        if (this.#closed) tools.close();
        this.#tools = tools;
        return tools;
      },
      (error: unknown) => {
        // It may be had another time.
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }

  /** Own messages that may still be stored. */
  get waiting(): number {
    return this.#timeline.drafts.filter(({ delivery }) => delivery.kind === "queued" || delivery.kind === "sent")
      .length;
  }

  /** Are there own messages or commands that may still take effect? */
  get unfinished(): boolean {
    return this.waiting > 0 || this.#tools?.unfinished === true;
  }

  close(): void {
    this.#closed = true;
    this.#tools?.close();
    this.names.close();
    for (const end of this.#endings.splice(0)) end();
  }

  async #load(before: number): Promise<void> {
    const history = this.#history;
    this.#dispatch({ type: "loading" });
    try {
      const page = await this.#channel.history({ before, limit: PAGE_EVENTS });
      if (history !== this.#history) return;
      if (page.epoch !== this.#subscription.reached().epoch) {
        this.#dispatch({ type: "page-failed", reason: "The room has begun anew." });
        return;
      }
      const from = page.events[0]?.offset;
      this.#dispatch({ type: "page", messages: this.#read(page.events), from, more: page.more });
    } catch (error) {
      if (history !== this.#history) return;
      this.#dispatch({ type: "page-failed", reason: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Reads events, and brings the drafts' ids up to date, so that the own ones among them are known. */
  #read(events: readonly RoomEvent[]): Message[] {
    for (const { key, id } of this.#timeline.drafts) {
      const publication = this.#publications.get(key);
      if (publication !== undefined && publication.id() !== id) this.#progress(key, publication);
    }
    const messages = events.filter((event) => event.type === "message").map(messageOf);
    this.names.learn(messages.flatMap(({ author, name }) => (author === undefined ? [] : [[author, name] as const])));
    return messages;
  }

  #progress(key: string, publication: PublicationPort): void {
    this.#dispatch({ type: "progress", key, id: publication.id(), delivery: publication.delivery.get() });
  }

  #startAgain(offset: number): void {
    this.#history++;
    this.#dispatch({ type: "reset" });
    if (offset > 0) void this.#load(offset + 1);
  }

  #follow(): void {
    if (this.#subscription.state.get() === "live") {
      this.#problem = undefined;
      this.#dispatch({ type: "live", head: this.#subscription.reached().offset });
    }
    this.#show();
  }

  #dispatch(action: Action): void {
    const next = reduce(this.#timeline, action);
    if (next === this.#timeline) return;
    if (next.drafts !== this.#timeline.drafts) {
      const keys = new Set(next.drafts.map((draft) => draft.key));
      for (const key of this.#publications.keys()) if (!keys.has(key)) this.#publications.delete(key);
    }
    this.#timeline = next;
    this.#show();
  }

  #show(): void {
    const state = this.#subscription?.state.get() ?? "pending";
    this.#view.set({ ...this.#rowsAndPast(), state, problem: this.#problem });
  }

  #rowsAndPast(): Pick<RoomView, "rows" | "past" | "following" | "unread"> {
    const { past, following, unread } = this.#timeline;
    return { rows: rowsOf(this.#timeline, this.#self.get()), past, following, unread };
  }
}
