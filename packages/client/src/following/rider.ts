import type { FollowingList, ServerMessage } from "@tandem/protocol";
import { isChannelName } from "@tandem/protocol";
import type { Runtime, Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";
import { count, list, object, positive, text } from "../connection/inbound.ts";
import type { Check, Link } from "../connection/link.ts";
import type { Rider } from "../rider.ts";
import { Changes } from "./changes.ts";

const NONE: FollowingList = { version: 0, channels: [] };

/** Who is told the channels that the user follows, before the application is. */
export type Listener = (channels: readonly string[]) => void;

/** The list of channels that the user follows, as the server tells it, and the changes of it that are asked for. */
export class FollowingRider implements Rider {
  readonly checks: ReadonlyMap<string, Check> = new Map([
    ["following", object({ version: count, channels: list(text) })],
    ["followed", object({ id: positive, version: count })],
    ["unfollowed", object({ id: positive, version: count })],
  ]);
  readonly changes: Changes;
  readonly channels: Store<readonly string[]>;
  readonly #channels: Cell<readonly string[]>;
  readonly #runtime: Runtime;
  readonly #listeners = new Set<Listener>();
  #told: readonly string[] | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.changes = new Changes(runtime);
    this.channels = this.#channels = new Cell<readonly string[]>([], (error) =>
      runtime.logger.error({ error }, "a listener of the client threw"),
    );
  }

  /** Tells the list now, where it is known, and whenever it comes. @returns the call that ends it */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#told) listener(this.#told);
    return () => this.#listeners.delete(listener);
  }

  attach(link: Link): void {
    this.#take(link.welcome.following ?? NONE);
    this.changes.attach(link);
  }

  detach(): void {
    this.changes.detach();
  }

  message(message: ServerMessage): void {
    if (message.type === "following") this.#take(message);
  }

  close(): void {
    this.changes.close();
    this.#listeners.clear();
  }

  #take({ version, channels: told }: FollowingList): void {
    this.changes.version = version;
    const channels = told.filter(isChannelName);
    this.#told = channels;
    for (const listener of this.#listeners) listener(channels);
    // Nobody outside is called while a connection is being taken up.
    this.#runtime.defer(() => this.#channels.set(channels));
  }
}
