import type { ServerMessage } from "@tandem/protocol";
import { bodyDigest, jsonCodec, mintProducer } from "@tandem/protocol";
import { silentLogger } from "@tandem/runtime";
import { SUBJECTS } from "./app.ts";
import type { Publish } from "./history.ts";
import type { Dialled } from "./network.ts";
import { Process } from "./process.ts";
import type { Person } from "./tokens.ts";
import type { World } from "./world.ts";

/** Attempts at one thing before an episode is given up. */
const ATTEMPTS = 10;

/** Milliseconds that one attempt waits for its answer. */
const PATIENCE = 3_000;

type Answer = Extract<ServerMessage, { type: "published" | "error" }>;

/**
 * Speaks the protocol by hand, and not as it should: publishes the same again through whichever node, another body under the
 * same sequence number, sequence numbers with holes, other people's tokens. What must come of each is known.
 */
export class RawClient {
  readonly #world: World;
  readonly #person: Person;
  readonly #stranger: Person;
  readonly #process: Process;

  constructor(name: string, person: Person, stranger: Person, world: World) {
    this.#world = world;
    this.#person = person;
    this.#stranger = stranger;
    this.#process = new Process(name, world.clock, world.random.fork(), silentLogger);
  }

  /** One publish, again and again. Ends early where nothing answers. */
  async episode(channel: string): Promise<void> {
    const { history, ledger, clock } = this.#world;
    const producer = mintProducer(this.#process.runtime.now(), this.#process.runtime.randomId());
    const restorations = ledger.restorations.length;
    const first = this.#invoke(channel);
    const stored = await this.#until(channel, producer, 1, first);
    if (stored?.type !== "published") return this.#settle(first, stored);
    this.#settle(first, stored);
    const again = await this.#until(channel, producer, 1, first);
    if (!again || ledger.restorations.length > restorations) return;
    const same = again.type === "published" && JSON.stringify(again.position) === JSON.stringify(stored.position);
    if (!same) {
      history.violate(
        "G2",
        clock.now,
        `publish ${first.n}, asked again, was answered ${JSON.stringify(again)}, at first ${JSON.stringify(stored)}`,
      );
    }
    if (this.#world.over) return;
    const other = this.#invoke(channel);
    const refused = await this.#until(channel, producer, 1, other);
    this.#settle(other, refused);
    this.#expect(restorations, refused, "body-mismatch", "G2");
    if (this.#world.over) return;
    const hole = this.#invoke(channel);
    const early = await this.#attempt(channel, producer, 3, hole);
    this.#settle(hole, early);
    if (early?.type === "published")
      history.violate("G2", clock.now, `publish ${hole.n} was stored before the one before it`);
  }

  #expect(restorations: number, answer: Answer | undefined, code: string, rule: string): void {
    const { history, ledger, clock } = this.#world;
    if (!answer || ledger.restorations.length > restorations) return;
    if (answer.type === "error" && (answer.code === code || answer.retryable)) return;
    history.violate(
      rule,
      clock.now,
      `${this.#process.name} was answered ${JSON.stringify(answer)}, and should be with ${code}`,
    );
  }

  #invoke(channel: string): Publish {
    const { history, clock } = this.#world;
    const n = history.number();
    const data = JSON.stringify({ n, about: n % SUBJECTS, text: bodyDigest("note", 1, String(n)) });
    const key = `${this.#person.tenant}/${channel}`;
    return history.invoke({
      n,
      by: `${this.#process.name}-${n}`,
      channel: key,
      data,
      invokedAt: clock.now,
      due: undefined,
    });
  }

  #settle(publish: Publish, answer: Answer | undefined): void {
    const { history, clock } = this.#world;
    if (answer?.type === "published") history.settle(publish, clock.now, { kind: "ok", position: answer.position });
    else if (answer && !answer.retryable) history.settle(publish, clock.now, { kind: "fail", code: "body-mismatch" });
    else history.settle(publish, clock.now, { kind: "unknown", code: "disconnected" });
  }

  /** Asks until there is an answer that settles it. */
  async #until(channel: string, producer: string, seq: number, publish: Publish): Promise<Answer | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const answer = await this.#attempt(channel, producer, seq, publish);
      if (answer && (answer.type === "published" || !answer.retryable)) return answer;
      await this.#pause(this.#world.random.around(300));
    }
    return undefined;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.clock.after(ms, this.#process, resolve));
  }

  /** One connection: says who it is, now and then with a stranger's token after it, publishes, and has its answer or none. */
  #attempt(channel: string, producer: string, seq: number, publish: Publish): Promise<Answer | undefined> {
    const { network, tokens, clock, random } = this.#world;
    return new Promise((resolve) => {
      let frames = 0;
      const end = (answer: Answer | undefined) => {
        socket.close(1000, "");
        resolve(answer);
      };
      const say = (...messages: object[]) => socket.send(new TextEncoder().encode(JSON.stringify(messages)));
      const data: unknown = JSON.parse(publish.data);
      const socket: Dialled = network.dial(this.#process, jsonCodec, {
        opened: () => say({ type: "hello", id: 1, token: tokens.mint(this.#person, 30_000) }),
        frame: (bytes) => {
          frames++;
          for (const message of JSON.parse(new TextDecoder().decode(bytes)) as ServerMessage[]) {
            if (message.type === "welcome") {
              if (random.chance(0.3)) say({ type: "refresh", id: 2, token: tokens.mint(this.#stranger, 30_000) });
              say(
                { type: "publish", id: 3, channel, event: "note", data, producer, seq },
                { type: "received", frames },
              );
            }
            if (message.type === "published" || (message.type === "error" && message.id === 3)) end(message);
          }
        },
        closed: () => resolve(undefined),
      });
      clock.after(PATIENCE, this.#process, () => end(undefined));
    });
  }
}
