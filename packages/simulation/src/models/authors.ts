import type { Application } from "@tandem/server/core";
import type { Fact } from "../ledger.ts";
import type { Process } from "../process.ts";
import type { Random } from "../random.ts";
import type { World } from "../world.ts";
import { ofTandem } from "./witness.ts";

/** Milliseconds after which a writer is thought lost, and for which a text stays after its end. */
const LEASE_MS = 2_000;
const KEEP_MS = 1_500;

/** One text that is written, and where its outcome is to stand. */
interface Work {
  /** `tenant/type:id`. */
  readonly channel: string;
  /** The number in what its parent is told. */
  readonly n: number;
  readonly parent: string;
  readonly openedAt: number;
  written: string;
  /** The writer was told that its whole is stored. */
  whole: boolean;
}

/** Those who write texts in nodes' processes, piece by piece, and what has to become of each text (M24). */
export class Authors {
  readonly #world: World;
  readonly #random: Random;
  readonly #works: Work[] = [];

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
    world.ledger.listen((at, batch, results) => {
      for (const [index, { channel, events }] of batch.entries()) {
        const work = this.#works.find((one) => one.channel === channel);
        if (work && results[index]?.kind === "committed" && events.some(({ type }) => isEnd(type)))
          this.#ended(at, work);
      }
    });
  }

  /** The texts that are being written, or can be read yet: their channels. */
  get texts(): readonly string[] {
    return this.#works
      .map(({ channel }) => channel)
      .filter((channel) => (this.#world.ledger.line(channel)?.facts.length ?? 0) > 0);
  }

  /** Somebody begins one. */
  write(application: Application, process: Process, parent: string): void {
    const { history, clock, tally } = this.#world;
    const channel = `text:a${this.#works.length}`;
    const n = history.number();
    const key = `${application.tenant}/${channel}`;
    const at = `${application.tenant}/${parent}`;
    const work: Work = { channel: key, n, parent: at, openedAt: clock.now, written: "", whole: false };
    this.#works.push(work);
    const told = { channel: parent, event: "note", data: { n, about: n % 4 } };
    application
      .stream({ channel, parent: told, lease: LEASE_MS, keep: KEEP_MS })
      .then(async (writer) => {
        tally.count("path", "stream-opened");
        const words = this.#random.whole(1, 12);
        const ms = this.#random.pick([30, 300, 800]);
        for (let word = 0; word < words && !writer.signal.aborted; word++) {
          await new Promise<void>((resolve) => clock.after(this.#random.around(ms), process, resolve));
          const text = `${work.n}.${word} `;
          writer.write(text);
          work.written += text;
        }
        const isStopped = writer.signal.aborted && (writer.signal.reason as DOMException).message === "stopped";
        if (isStopped) tally.count("path", "stream-stopped");
        await (isStopped || this.#random.chance(0.15) ? writer.abort("stopped") : writer.finish());
        work.whole = true;
        tally.count("path", "stream-whole");
      }, ofTandem)
      .catch((error: unknown) => {
        ofTandem(error);
        tally.count("path", `stream-refused.${(error as { code: string }).code}`);
      });
  }

  /** M24: who sees the end of a stream finds its outcome. */
  #ended(at: number, work: Work): void {
    if (this.#told(work).length === 0 && !this.#isRestored(work))
      this.#wrong(at, `${work.channel} ends, and its parent was not told of it`);
  }

  /** M24: in the end the parent of each stream was told one outcome, once, and nothing is left of the stream. */
  conclude(): void {
    const { clock, tally, ledger } = this.#world;
    for (const channel of this.texts) this.#wrong(clock.now, `${channel} is still there`);
    for (const work of this.#works) {
      const told = this.#told(work);
      const wasOpened = ledger.removals.some(({ channel }) => channel === work.channel);
      if (told.length > 1) this.#wrong(clock.now, `the parent of ${work.channel} was told ${told.length} times`);
      if (told.length === 0 && wasOpened && !this.#isRestored(work))
        this.#wrong(clock.now, `the parent of ${work.channel} was told nothing`);
      for (const { data } of told) {
        const { text } = JSON.parse(data) as { text: string };
        if (text === work.written) tally.count("path", "stream-told-whole");
        else tally.count("path", "stream-told-lost");
        if (!work.written.startsWith(text) || (work.whole && text !== work.written && !this.#isRestored(work)))
          this.#wrong(clock.now, `the parent of ${work.channel} has "${text}" of "${work.written}"`);
      }
    }
  }

  #told({ n, parent }: Work): readonly Fact[] {
    return this.#world.ledger.ofPublish(n).filter(({ lost, channel }) => !lost && channel === parent);
  }

  /** A past was restored since: what was told may be gone, or be told again. */
  #isRestored({ openedAt }: Work): boolean {
    return this.#world.ledger.restorations.some(({ at }) => at >= openedAt);
  }

  #wrong(at: number, text: string): void {
    this.#world.history.violate("M24", at, text);
  }
}

function isEnd(type: string): boolean {
  return type === "stream.finished" || type === "stream.aborted";
}
