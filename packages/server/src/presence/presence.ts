import type { ChannelDefinition, PresenceDefinition } from "@tandem/app";
import type { Limits, Member } from "@tandem/protocol";
import { errorOf } from "@tandem/protocol";
import type { Runtime, Timer } from "@tandem/runtime";
import type { BusMessage, Envelope } from "../bus/bus.ts";
import type { BusLine } from "../bus/line.ts";
import type { PresenceWord } from "../bus/presence.ts";
import { nameOf } from "../log/key.ts";
import type { ChannelKey } from "../log/log.ts";
import { memberOf } from "./entry.ts";
import { Exchange } from "./exchange.ts";
import { Room } from "./room.ts";
import type { Budget } from "./roster.ts";

/** What changes with time alone is looked at this often, in milliseconds. */
const SWEEP_MS = 250;

/** Most channels with members or watchers that a node knows of. */
const MOST_ROOMS = 100_000;

/** Most devices, those that have just left among them, that a node knows of in all channels. */
const MOST_ENTRIES = 100_000;

/** Of these, how many are kept for those who come: a goodbye of a device that the node knows nothing of takes none of them. */
const KEPT_ENTRIES = 50_000;

export interface PresencePorts {
  readonly runtime: Runtime;
  readonly line: BusLine;
  readonly limits: Limits;
  definitionOf(channel: string): ChannelDefinition | undefined;
  /** A one-way digest, as base64url. */
  digest(text: string): string;
}

/** A channel type in which users can be present. */
export type PresentDefinition = ChannelDefinition & { readonly presence: PresenceDefinition };

/**
 * Who is where, on all nodes: every node knows the roster of every channel that has members. A node's word on its own clients counts while its lease
 * holds; when it lapses, its devices are lost, and have 10 s to come back by whichever node.
 */
export class Presence {
  readonly #ports: PresencePorts;
  readonly #rooms = new Map<ChannelKey, Room>();
  readonly #budget: Budget = { left: MOST_ENTRIES, kept: KEPT_ENTRIES };
  readonly #exchange: Exchange;
  #node: string;
  #timer: Timer | undefined;

  constructor(ports: PresencePorts) {
    this.#ports = ports;
    const { line, runtime } = ports;
    this.#node = line.node;
    this.#exchange = new Exchange({
      runtime,
      line,
      words: () => this.#words(),
      retain: (node, named, after) => {
        for (const [key, room] of this.#rooms) room.roster.retain(node, named.get(key), after, runtime.elapsed());
      },
    });
    line.listen({
      message: (message, envelope) => this.#hear(message, envelope),
      doubt: (node, number) => this.#exchange.ask(node, number),
      lapsed: (node, heard) => {
        this.#exchange.forget(node);
        for (const room of this.#rooms.values()) room.roster.lapse(node, heard, runtime.elapsed());
      },
      returned: (node, number) => {
        for (const room of this.#rooms.values()) room.roster.revive(node, runtime.elapsed());
        this.#exchange.ask(node, number);
      },
      renewed: () => this.#renewed(),
    });
  }

  start(): void {
    this.#timer = this.#ports.runtime.timer(SWEEP_MS, () => {
      this.#sweep();
      this.start();
    });
  }

  /** The declared type of a channel, where users can be present in it. */
  definitionOf(channel: string): PresentDefinition | undefined {
    const definition = this.#ports.definitionOf(channel);
    return definition && isPresent(definition) ? definition : undefined;
  }

  /** The room of a channel, if anybody is there or watches. */
  known(key: ChannelKey): Room | undefined {
    return this.#rooms.get(key);
  }

  /** The room of a channel. @throws TandemError `overloaded` where there are too many */
  room(key: ChannelKey, definition: PresentDefinition): Room {
    let room = this.#rooms.get(key);
    if (!room) {
      if (this.#rooms.size >= MOST_ROOMS) throw errorOf("overloaded", { retryAfter: 5_000 });
      const { runtime, line, limits, digest } = this.#ports;
      room = new Room(key, definition, { runtime, line, budget: this.#budget, tickMs: limits.signalMs, digest });
      this.#rooms.set(key, room);
    }
    return room;
  }

  /** A page of who is there, in the order of their devices' names, after device `after`. */
  page(key: ChannelKey, after: string, limit: number): { readonly members: Member[]; readonly next?: string } {
    const room = this.#rooms.get(key);
    let first: string[] = [];
    for (const { device, status } of room?.roster.entries() ?? []) {
      if (status === undefined || device <= after) continue;
      // One more than a page tells whether there is a next one; what lies behind is cut off now and then.
      if (first.push(device) > 4 * limit) first = first.sort().slice(0, limit + 1);
    }
    first.sort();
    const members = first.slice(0, limit).flatMap((device) => {
      const entry = room?.roster.present(device);
      return entry ? [memberOf(entry)] : [];
    });
    const last = first[limit - 1];
    return { members, ...(first.length > limit && last !== undefined ? { next: last } : {}) };
  }

  #hear(message: BusMessage, { node, number }: Envelope): void {
    const heard = { node, number, at: this.#ports.runtime.elapsed() };
    switch (message.kind) {
      case "presence":
        return this.#heardOf(message.channel)?.hear(message.words, heard);
      case "signals":
        return this.#rooms.get(message.channel)?.hearSignals(message.signals);
      case "roster-wanted":
        return this.#exchange.answer(node);
      case "roster":
        for (const [channel, words] of message.rooms) {
          this.#heardOf(channel)?.hear(words, { ...heard, number: message.after });
        }
        return this.#exchange.told(node, message);
    }
  }

  /** The room of a channel that others speak of, unless this node's application does not declare its type, or there are too many. */
  #heardOf(key: ChannelKey): Room | undefined {
    const definition = this.definitionOf(nameOf(key));
    if (!definition || (this.#rooms.size >= MOST_ROOMS && !this.#rooms.has(key))) return undefined;
    return this.room(key, definition);
  }

  *#words(): Iterable<readonly [ChannelKey, PresenceWord]> {
    for (const [key, room] of this.#rooms) {
      for (const { device } of room.roster.entries()) {
        const word = room.word(device);
        if (word) yield [key, word];
      }
    }
  }

  #renewed(): void {
    const { node, lease } = this.#ports.line;
    for (const room of this.#rooms.values()) room.roster.rename(this.#node, node, lease);
    this.#node = node;
  }

  #sweep(): void {
    // After a pause of its own, a node hears first what has happened meanwhile.
    if (!this.#ports.line.judges) return;
    const now = this.#ports.runtime.elapsed();
    for (const [key, room] of this.#rooms) {
      if (room.roster.isUnsteady) room.roster.sweep(now);
      if (!room.isEmpty) continue;
      room.close();
      this.#rooms.delete(key);
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#exchange.close();
    for (const room of this.#rooms.values()) room.close();
  }
}

function isPresent(definition: ChannelDefinition): definition is PresentDefinition {
  return definition.presence !== undefined;
}
