import type { ServerMessage } from "@tandem/protocol";
import { jsonCodec, mintProducer } from "@tandem/protocol";
import { silentLogger } from "@tandem/runtime";
import type { Dialled } from "../network.ts";
import { Process } from "../process.ts";
import type { Random } from "../random.ts";
import type { Person } from "../tokens.ts";
import type { World } from "../world.ts";
import type { OfficeModel } from "./desk.ts";
import { OFFICE_MODELS } from "./desk.ts";
import type { Draft } from "./drafts.ts";
import { olderDraft } from "./purse.ts";

/** Milliseconds that an attempt waits for its answer. */
const PATIENCE_MS = 4_000;

/** Attempts of each of the two. */
const ATTEMPTS = 4;

type Answer = Extract<ServerMessage, { type: "published" | "error" }>;

/** Sends one command by two connections at once, to two nodes perhaps, each again and again: both have to be told the same. */
export class Twins {
  readonly #world: World;
  readonly #random: Random;
  readonly #process: Process;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
    this.#process = new Process("twins", world.clock, random.fork(), silentLogger);
  }

  async episode(
    person: Person,
    channel: string,
    make: (name: OfficeModel, state: object | undefined) => Draft,
  ): Promise<void> {
    const { desks, ledger, history, clock, tally } = this.#world;
    const runtime = this.#process.runtime;
    const name = this.#random.pick(OFFICE_MODELS);
    const made = make(name, desks.oracle.now(`${person.tenant}/${channel}`)[name]);
    const version = name === "purse" ? (desks.older ? 1 : this.#random.pick([1, 2])) : 1;
    const { command, input } = name === "purse" && version === 1 ? olderDraft(made) : made;
    const producer = mintProducer(runtime.now(), runtime.randomId());
    const message = {
      type: "command",
      id: 3,
      channel,
      model: name,
      command,
      version,
      input,
      nonce: runtime.randomId(),
      producer,
      seq: 1,
    };
    const restorations = ledger.restorations.length;
    const answers = await Promise.all([this.#until(person, message), this.#until(person, message)]);
    if (ledger.restorations.length > restorations) return;
    const told = answers.flatMap((answer) => (answer ? [gist(answer)] : []));
    if (told.length < 2) return;
    tally.count("path", "command-asked-twice");
    if (told[0] !== told[1])
      history.violate(
        "G2",
        clock.now,
        `${name}.${command} ${JSON.stringify(input)}, asked at two nodes, was answered ${told.join(" and ")}`,
      );
  }

  async #until(person: Person, message: object): Promise<Answer | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS && !this.#world.over; attempt++) {
      const answer = await this.#attempt(person, message);
      if (answer && (answer.type === "published" || !answer.retryable)) return answer;
      await new Promise<void>((resolve) => this.#world.clock.after(this.#random.around(300), this.#process, resolve));
    }
    return undefined;
  }

  #attempt(person: Person, message: object): Promise<Answer | undefined> {
    const { network, tokens, clock } = this.#world;
    return new Promise((resolve) => {
      let frames = 0;
      const end = (answer: Answer | undefined) => {
        socket.close(1000, "");
        resolve(answer);
      };
      const say = (...messages: object[]) => socket.send(new TextEncoder().encode(JSON.stringify(messages)));
      const socket: Dialled = network.dial(this.#process, jsonCodec, {
        opened: () => say({ type: "hello", id: 1, token: tokens.mint(person, 30_000) }),
        frame: (bytes) => {
          frames++;
          for (const told of JSON.parse(new TextDecoder().decode(bytes)) as ServerMessage[]) {
            if (told.type === "welcome") say(message, { type: "received", frames });
            if (told.type === "published" || (told.type === "error" && told.id === 3)) end(told);
          }
        },
        closed: () => resolve(undefined),
      });
      clock.after(PATIENCE_MS, this.#process, () => end(undefined));
    });
  }
}

function gist(answer: Answer): string {
  return answer.type === "published" ? JSON.stringify(answer.position) : JSON.stringify([answer.code, answer.reason]);
}
