import type { ClientMessage, Codec, Encoded, ServerMessage } from "@tandem/protocol";
import type { Connection, Wiretap } from "../connection.ts";
import { Register } from "../presence/register.ts";
import type { Trace } from "../trace.ts";
import { Answers } from "./answers.ts";
import { Authority } from "./authority.ts";
import { Commands } from "./commands.ts";
import { Credit } from "./credit.ts";
import { Deliveries } from "./deliveries.ts";
import type { Standing } from "./dialogue.ts";
import { Dialogue } from "./dialogue.ts";
import { Followings } from "./followings.ts";
import { Lanes } from "./lanes.ts";
import { Pacing } from "./pacing.ts";
import { Places } from "./places.ts";
import { Rates } from "./rates.ts";
import type { Scene } from "./scene.ts";
import { Starts } from "./starts.ts";
import type { Watcher } from "./watcher.ts";

/**
 * Hears every frame of every connection and has it held against the ledger at the moment it is handed over: what is
 * delivered was committed, in order, whole, to someone who may have it now. Each concern has a watcher of its own.
 */
export class Wire implements Wiretap {
  readonly #scene: Scene;
  readonly #trace: Trace;
  readonly #watchers: readonly Watcher[];
  /** Those of them that hear what clients ask, and what nodes tell. */
  readonly #askers: readonly (Watcher & Required<Pick<Watcher, "asked">>)[];
  readonly #tellers: readonly (Watcher & Required<Pick<Watcher, "told">>)[];
  /** What is said of presence. */
  readonly register: Register;
  readonly #dialogues = new Map<Connection, Dialogue>();
  /** The frame that was read last: one that is for many is handed to one after the other. */
  #read: { readonly bytes: Uint8Array; readonly messages: readonly ServerMessage[] } | undefined;

  constructor(scene: Scene, trace: Trace) {
    this.#scene = scene;
    this.#trace = trace;
    this.register = new Register(scene);
    this.#watchers = [
      new Authority(scene),
      new Answers(scene),
      new Starts(scene),
      new Deliveries(scene),
      new Lanes(scene),
      new Credit(scene),
      new Pacing(scene),
      new Rates(scene),
      new Places(scene),
      new Followings(scene),
      new Commands(scene),
    ];
    this.#askers = this.#watchers.filter((watcher) => watcher.asked !== undefined) as (Watcher &
      Required<Pick<Watcher, "asked">>)[];
    this.#tellers = this.#watchers.filter((watcher) => watcher.told !== undefined) as (Watcher &
      Required<Pick<Watcher, "told">>)[];
  }

  accepted(connection: Connection): void {
    const dialogue = this.#of(connection);
    for (const watcher of this.#watchers) watcher.begun?.(dialogue);
  }

  arriving(connection: Connection, bytes: Uint8Array, frame: Encoded): void {
    this.#trace.bytes(this.#scene.clock.now, bytes);
    this.#say(connection, bytes, () => `${connection.client.name} → ${connection.node.name}`);
    const dialogue = this.#of(connection);
    for (const message of connection.codec.decode(frame) as ClientMessage[]) {
      this.register.asked(connection, message);
      for (const watcher of this.#askers) watcher.asked(dialogue, message);
      dialogue.ask(message);
    }
  }

  received(connection: Connection, bytes: Uint8Array): void {
    this.#trace.bytes(this.#scene.clock.now, bytes);
    this.#say(connection, bytes, () => `${connection.client.name} has`);
  }

  sending(connection: Connection, bytes: Uint8Array, messages = this.#reading(connection.codec, bytes)): void {
    this.#say(connection, bytes, () => `${connection.node.name} → ${connection.client.name}`);
    const dialogue = this.#of(connection);
    let delivers = false;
    let page = false;
    for (const message of messages) {
      this.register.told(connection, message);
      delivers ||= message.type === "events";
      page ||= message.type === "page";
      const request = dialogue.answered(message);
      for (const watcher of this.#tellers) watcher.told(dialogue, message, request);
      dialogue.moveOn(message, request);
    }
    dialogue.framed(bytes.length, delivers && !page);
  }

  flushed(connection: Connection): void {
    const dialogue = this.#of(connection);
    const flush = dialogue.takeFlush();
    for (const watcher of this.#watchers) watcher.flushed?.(dialogue, flush);
  }

  leaving(connection: Connection): void {
    this.register.ended(connection);
    const dialogue = this.#dialogues.get(connection);
    if (dialogue) for (const watcher of this.#watchers) watcher.ended?.(dialogue);
  }

  gone(connection: Connection): void {
    this.leaving(connection);
    this.#dialogues.delete(connection);
  }

  /** What a connection is subscribed to, as it was told. */
  standing(connection: Connection): ReadonlyMap<string, Standing> {
    return this.#of(connection).standing;
  }

  /** The schedule is over. */
  conclude(): void {
    for (const watcher of this.#watchers) watcher.conclude?.();
  }

  #reading(codec: Codec, bytes: Uint8Array): readonly ServerMessage[] {
    if (this.#read?.bytes !== bytes) this.#read = { bytes, messages: decode(codec, bytes) as ServerMessage[] };
    return this.#read.messages;
  }

  #of(connection: Connection): Dialogue {
    let dialogue = this.#dialogues.get(connection);
    if (!dialogue) {
      const { tokens, history, clock } = this.#scene;
      const { node, client } = connection;
      dialogue = new Dialogue(
        connection,
        (token) => tokens.identity(token),
        (rule, text) => history.violate(rule, clock.now, `${node.name} → ${client.name}: ${text}`),
      );
      this.#dialogues.set(connection, dialogue);
    }
    return dialogue;
  }

  #say({ number, codec }: Connection, bytes: Uint8Array, who: () => string): void {
    this.#trace.say(this.#scene.clock.now, () => `${who()} #${number} ${text(codec, bytes)}`);
  }
}

function decode(codec: Codec, bytes: Uint8Array): unknown[] {
  return codec.decode(codec.name === "json" ? decoder.decode(bytes) : bytes);
}

const decoder = new TextDecoder();

function text(codec: Codec, bytes: Uint8Array): string {
  return codec.name === "json" ? decoder.decode(bytes) : JSON.stringify(decode(codec, bytes));
}
