import type { Runtime, Timer } from "@tandem/runtime";
import type { BusMessage } from "../bus/bus.ts";
import type { BusLine } from "../bus/line.ts";
import type { PresenceWord } from "../bus/presence.ts";
import type { ChannelKey } from "../log/log.ts";

/** An answer that has not come whole is asked for again after this, in milliseconds. */
const ASK_AGAIN_MS = 1_000;

/** Words in one page of an answer, about. */
const PAGE_WORDS = 500;

type Roster = Extract<BusMessage, { kind: "roster" }>;

/** What a node that was asked has told so far. */
interface Telling {
  readonly answer: number;
  readonly pages: Set<number>;
  readonly named: Map<ChannelKey, Set<string>>;
  /** Pages in all, once that is known. */
  all: number | undefined;
}

interface Asked {
  at: number;
  telling: Telling | undefined;
  /** The number of its message up to which something may have been missed: what it tells may be of before. */
  upTo: number;
}

export interface ExchangePorts {
  readonly runtime: Runtime;
  readonly line: BusLine;
  /** Everything that this node has to say at first hand. */
  words(): Iterable<readonly [ChannelKey, PresenceWord]>;
  /** A node has named all that it holds: what it said up to its message `after`, and does not name, is gone. */
  retain(node: string, named: ReadonlyMap<ChannelKey, ReadonlySet<string>>, after: number): void;
}

/** Nodes tell each other who is there as it happens; where one may have missed something, it has the other tell everything. */
export class Exchange {
  readonly #ports: ExchangePorts;
  readonly #asked = new Map<string, Asked>();
  #answers = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(ports: ExchangePorts) {
    this.#ports = ports;
  }

  /** Has a node tell everything, until it has told what held after its message `upTo`. */
  ask(node: string, upTo: number): void {
    const asked = this.#asked.get(node);
    if (asked) asked.upTo = Math.max(asked.upTo, upTo);
    else this.#ask(node, upTo);
  }

  #ask(node: string, upTo: number): void {
    this.#asked.set(node, { at: this.#ports.runtime.elapsed(), telling: undefined, upTo });
    this.#ports.line.send({ kind: "roster-wanted" }, node);
    this.#watch();
  }

  #watch(): void {
    if (this.#timer || this.#closed) return;
    this.#timer = this.#ports.runtime.timer(ASK_AGAIN_MS, () => {
      this.#timer = undefined;
      const now = this.#ports.runtime.elapsed();
      for (const [node, { at, upTo }] of this.#asked) if (now - at >= ASK_AGAIN_MS) this.#ask(node, upTo);
      if (this.#asked.size > 0) this.#watch();
    });
  }

  /** A node is not there any more: nothing more can be had of it. */
  forget(node: string): void {
    this.#asked.delete(node);
  }

  /** Tells a node everything, a page at a time. */
  answer(node: string): void {
    const { runtime, line } = this.#ports;
    const answer = ++this.#answers;
    const after = line.number;
    const words = this.#ports.words()[Symbol.iterator]();
    const name = line.node;
    const turn = (page: number): void => {
      // Under another name this is another node's answer: it will be asked for.
      if (this.#closed || line.node !== name) return;
      const rooms = new Map<ChannelKey, PresenceWord[]>();
      let next = words.next();
      for (let count = 0; !next.done; next = words.next()) {
        const [channel, word] = next.value;
        const told = rooms.get(channel);
        if (told) told.push(word);
        else rooms.set(channel, [word]);
        if (++count === PAGE_WORDS) break;
      }
      line.send({ kind: "roster", answer, after, page, last: next.done === true, rooms: [...rooms] }, node);
      if (!next.done) runtime.defer(() => turn(page + 1));
    };
    turn(0);
  }

  /** Takes a page. Its words are taken by the caller: they are words like any other. */
  told(node: string, { answer, after, page, last, rooms }: Roster): void {
    const asked = this.#asked.get(node);
    if (!asked) return;
    if (asked.telling?.answer !== answer) {
      // Pages of an older answer may still be under way.
      if (asked.telling && asked.telling.answer > answer) return;
      asked.telling = { answer, pages: new Set(), named: new Map(), all: undefined };
    }
    const { telling } = asked;
    asked.at = this.#ports.runtime.elapsed();
    telling.pages.add(page);
    for (const [channel, words] of rooms) {
      const named = telling.named.get(channel) ?? new Set();
      telling.named.set(channel, named);
      for (const { device, place } of words) if (place) named.add(device);
    }
    if (last) telling.all = page + 1;
    if (telling.pages.size !== telling.all) return;
    this.#asked.delete(node);
    this.#ports.retain(node, telling.named, after);
    // An answer to an earlier question may be of before what was missed since.
    if (after < asked.upTo) this.#ask(node, asked.upTo);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }
}
