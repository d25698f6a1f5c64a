import type { ServerMessage } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { Carried } from "../connection/carried.ts";
import type { Link } from "../connection/link.ts";
import { ownRefusal } from "../connection/refusal.ts";
import type { Written } from "../outbox/written.ts";
import { Feed } from "./feed.ts";
import type { SubscribeOptions, Subscription } from "./handler.ts";
import { Handler } from "./handler.ts";

/** The channels that this client reads, carried over from connection to connection. */
export class Subscriptions {
  readonly #runtime: Runtime;
  readonly #written: Written;
  readonly #feeds = new Map<string, Feed>();
  /** Those that the present frame brought events for. */
  readonly #dirty = new Set<Feed>();
  #link: Link | undefined;
  readonly #carried = new Carried<Feed>();
  #closed = false;

  constructor(runtime: Runtime, written: Written) {
    this.#runtime = runtime;
    this.#written = written;
  }

  subscribe(channel: string, options: SubscribeOptions): Subscription {
    const handler = new Handler(this.#runtime, options, () => this.#feeds.get(channel)?.remove(handler));
    if (this.#closed) handler.end(ownRefusal("closed"));
    else this.#feed(channel).add(handler);
    return handler;
  }

  attach(link: Link): void {
    for (const [channel] of this.#carried.attach(link, this.#feeds)) {
      link.ask({ type: "unsubscribe", channel }, () => undefined);
    }
    this.#link = link;
    for (const feed of this.#feeds.values()) feed.attach(link);
  }

  detach(): void {
    this.#link = undefined;
    this.#carried.detach(this.#feeds);
    this.#dirty.clear();
    for (const feed of [...this.#feeds.values()]) feed.detach();
  }

  message(message: ServerMessage): void {
    // What has an id answers a request that nobody waits for any more.
    if (!("channel" in message) || message.channel === undefined || ("id" in message && message.id !== undefined))
      return;
    const feed = this.#feeds.get(message.channel);
    if (!feed) return;
    if (message.type === "events") {
      feed.events(message);
      this.#dirty.add(feed);
    } else if (message.type === "reset") feed.reset(message);
    else if (message.type === "unsubscribed")
      feed.end(new TandemError("forbidden", "The server ended the subscription."));
    else if (message.type === "error") feed.complained(message);
  }

  frameEnd(): void {
    for (const feed of this.#dirty) {
      this.#dirty.delete(feed);
      feed.flush();
    }
  }

  close(): void {
    this.#closed = true;
    for (const feed of [...this.#feeds.values()]) feed.end();
  }

  #feed(channel: string): Feed {
    const known = this.#feeds.get(channel);
    if (known) return known;
    const feed = new Feed(channel, this.#runtime, this.#written, () => {
      if (this.#feeds.get(channel) === feed) this.#feeds.delete(channel);
    });
    this.#feeds.set(channel, feed);
    if (this.#link) feed.attach(this.#link);
    return feed;
  }
}
