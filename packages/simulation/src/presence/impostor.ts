import type { ClientMessage, ServerMessage } from "@tandem/protocol";
import { jsonCodec } from "@tandem/protocol";
import { silentLogger } from "@tandem/runtime";
import type { Dialled } from "../network.ts";
import { Process } from "../process.ts";
import type { Random } from "../random.ts";
import type { Person } from "../tokens.ts";
import type { World } from "../world.ts";
import { HALL_GRANTS } from "./hall.ts";

/** Milliseconds that one answer is waited for. */
const PATIENCE_MS = 3_000;

const ANN: Person = { tenant: "acme", user: "ann", grants: HALL_GRANTS };
const BOB: Person = { tenant: "acme", user: "bob", grants: HALL_GRANTS };
const DUMB: Person = { tenant: "acme", user: "dan", grants: { "hall:a*": ["read"], "crowd:a*": ["read"] } };

type Answer = Extract<ServerMessage, { id?: number | undefined }>;

const TRICKS = ["outsider", "nameless", "backwards", "two-connections", "foreign-device", "without-right"] as const;

/**
 * Speaks of presence by hand, and not as it should: signals without having entered, says what is older than what it said before, by an
 * older connection, under another's secret, without the right to. The register knows what may come of each.
 */
export class Impostor {
  readonly #world: World;
  readonly #random: Random;
  readonly #process: Process;
  readonly #number: () => number;
  #episodes = 0;
  #ids = 0;

  constructor(world: World, random: Random, number: () => number) {
    this.#world = world;
    this.#random = random;
    this.#number = number;
    this.#process = new Process("impostor", world.clock, random.fork(), silentLogger);
  }

  async episode(hall: string): Promise<void> {
    const trick = this.#random.pick(TRICKS);
    const secret = `impostor-${++this.#episodes}`.padEnd(22, "-");
    const instance = (connection: number) => ({ secret, connection });
    const first = await this.#dial(
      trick === "without-right" ? DUMB : ANN,
      trick === "nameless" ? undefined : instance(1),
    );
    if (!first) return;
    this.#world.tally.count("path", `impostor.${trick}`);
    const enter = (line: Line, seq: number) =>
      line.ask({
        type: "enter",
        id: ++this.#ids,
        channel: hall,
        seq,
        state: { n: this.#number() },
        activity: "active",
      });
    const signal = (line: Line, seq: number) =>
      line.say({ type: "signal", channel: hall, seq, signals: { cursor: { n: this.#number() } } });
    const leave = (line: Line, seq: number) => line.ask({ type: "leave", id: ++this.#ids, channel: hall, seq });
    switch (trick) {
      case "outsider":
        signal(first, 1);
        break;
      case "nameless":
      case "without-right":
        signal(first, 1);
        this.#expect(await enter(first, 2), trick === "nameless" ? "no-instance" : "forbidden");
        signal(first, 3);
        break;
      case "backwards":
        await enter(first, 10);
        signal(first, 12);
        signal(first, 11);
        await enter(first, 8);
        await leave(first, 9);
        await this.#pause();
        break;
      case "two-connections": {
        await enter(first, 1);
        const second = await this.#dial(ANN, instance(2));
        if (!second) break;
        await enter(second, 2);
        // The one node has heard of the other's by then.
        await this.#pause(12 * this.#world.bus.weather.delay);
        if (this.#random.chance(0.5)) await leave(first, this.#random.pick([1, 3]));
        first.close();
        await this.#pause();
        second.close();
        return;
      }
      case "foreign-device": {
        await enter(first, 1);
        const thief = await this.#dial(BOB, instance(5));
        if (!thief) break;
        await enter(thief, 6);
        await leave(thief, 7);
        await this.#pause();
        thief.close();
        break;
      }
    }
    await this.#pause();
    first.close();
  }

  #expect(answer: Answer | undefined, code: string): void {
    if (!answer || (answer.type === "error" && (answer.code === code || answer.retryable))) return;
    const { history, clock } = this.#world;
    history.violate("R5", clock.now, `the impostor was answered ${JSON.stringify(answer)}, and should be with ${code}`);
  }

  #pause(least = 0): Promise<void> {
    return new Promise((resolve) => this.#world.clock.after(least + this.#random.around(400), this.#process, resolve));
  }

  /** A connection that was welcomed, or nothing. */
  #dial(person: Person, instance: object | undefined): Promise<Line | undefined> {
    const { network, tokens, clock } = this.#world;
    const waiting = new Map<number, (answer: Answer | undefined) => void>();
    const hello = ++this.#ids;
    return new Promise((resolve) => {
      let frames = 0;
      const say = (...messages: object[]) => socket.send(new TextEncoder().encode(JSON.stringify(messages)));
      const line: Line = {
        say,
        ask: (message) =>
          new Promise((answer) => {
            waiting.set(message.id, answer);
            say(message);
            clock.after(PATIENCE_MS, this.#process, () => answer(undefined));
          }),
        close: () => socket.close(1000, ""),
      };
      const socket: Dialled = network.dial(this.#process, jsonCodec, {
        opened: () => {
          const token = tokens.mint(person, 60_000);
          say({ type: "hello", id: hello, token, ...(instance ? { instance } : {}) });
        },
        frame: (bytes) => {
          say({ type: "received", frames: ++frames });
          for (const message of JSON.parse(new TextDecoder().decode(bytes)) as ServerMessage[]) {
            if (message.type === "ping") say({ type: "pong" });
            if (message.type === "welcome" && message.id === hello) resolve(line);
            else if ("id" in message && message.id !== undefined) waiting.get(message.id)?.(message);
          }
        },
        closed: () => {
          for (const answer of waiting.values()) answer(undefined);
          resolve(undefined);
        },
      });
      clock.after(PATIENCE_MS, this.#process, () => {
        resolve(undefined);
        if (frames === 0) socket.close(1000, "");
      });
    });
  }
}

interface Line {
  say(message: object): void;
  ask(message: Extract<ClientMessage, { type: "enter" | "leave" }>): Promise<Answer | undefined>;
  close(): void;
}
