import { channel, defineApp } from "@tandem/app";
import type { CommandInput, CommandName, Job, ReasonOf } from "@tandem/model";
import { cutPiece, job } from "@tandem/model";
import type { Outcome } from "@tandem/model/testing";
import { Rehearsal } from "@tandem/model/testing";
import type { Jobs } from "@tandem/model/work";
import type { ClientMessageInput } from "@tandem/protocol";
import { chainTag, eventId } from "@tandem/protocol";
import type { Client } from "../client.ts";
import type { ScriptedConnection } from "../testing/scripted-server.ts";
import { world } from "../testing/world.ts";

export const jobs = job({ lease: 3_000, grace: 2_000 });

const desk = defineApp({ channels: { desk: channel({ events: {}, models: { jobs } }) } });

const CHANNEL = "desk:1";
/** Whom the server welcomes. */
const WORKER = "ada";

type Sent<T extends ClientMessageInput["type"]> = Extract<ClientMessageInput, { type: T }>;
type Told = Pick<Outcome & { status: "accepted" }, "events">["events"];

/** A client's connection and a server that decides on jobs, both of a test's own. */
export class JobDesk {
  readonly world = world();
  readonly client = this.world.client as unknown as Client<typeof desk>;
  readonly room = this.client.channel("desk", "1");
  readonly stage = new Rehearsal<Jobs>(jobs, { time: this.world.runtime.now() });
  /** Commands of the worker's that the server has decided, and what came of each. */
  readonly decided: { readonly command: string; readonly input: Record<string, unknown>; readonly status: string }[] =
    [];
  /** Commands of these kinds reach the server, and are never decided. */
  readonly deaf = new Set<string>();
  readonly #log: { readonly id: string; readonly tag: string; readonly of: Told[number] }[] = [];
  #connection: ScriptedConnection | undefined;
  /** Up to where this connection was told the events; `undefined`: it is not subscribed. */
  #told: number | undefined;
  #internal = 0;

  async connect(): Promise<void> {
    await this.world.runtime.settle();
    await this.#welcome();
  }

  /** The connection ends, and no other opens before `online`. */
  async offline(): Promise<void> {
    this.world.server.refuses = new Error("There is no network.");
    this.world.network.online = false;
    this.world.network.changed();
    await this.#connection?.end();
    this.#connection = undefined;
    this.#told = undefined;
  }

  async online(): Promise<void> {
    const before = this.world.server.connections.length;
    this.world.server.refuses = undefined;
    this.world.network.online = true;
    this.world.network.changed();
    while (this.world.server.connections.length === before) await this.pass(100);
    await this.#welcome();
  }

  async #welcome(): Promise<void> {
    this.#connection = this.world.server.present;
    await this.#connection.welcome({ user: WORKER });
    // What the client has sent upon the welcome.
    for (const message of [...this.#connection.messages]) await this.#answer(message);
    await this.#serve();
  }

  /** Somebody else's command. */
  async other<N extends CommandName<Jobs>>(
    command: N,
    input: CommandInput<Jobs, N>,
    user = "bea",
  ): Promise<Outcome<ReasonOf<Jobs>>> {
    const outcome = this.stage.command(user, command, input);
    if (outcome.status === "accepted") this.#store(outcome.events);
    await this.#serve();
    return outcome;
  }

  get jobs(): Job[] {
    return [...this.stage.state.jobs.values()];
  }

  /** The only job. */
  get job(): Job {
    const [one] = this.jobs;
    if (!one) throw new Error("there is no job");
    return one;
  }

  told(command: string) {
    return this.decided.filter((one) => one.command === command);
  }

  /** Time passes on both sides. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      const step = Math.min(100, left);
      await this.world.runtime.pass(step);
      const before = this.stage.events.length;
      this.stage.pass(step);
      this.#store(this.stage.events.slice(before));
      await this.#serve();
    }
    await this.#serve();
  }

  async settle(): Promise<void> {
    await this.world.runtime.settle();
    await this.#serve();
  }

  #store(events: Told, id: (index: number) => string = () => `internal-${this.#internal++}`): void {
    for (const [index, of] of events.entries()) {
      const name = id(index);
      this.#log.push({ id: name, tag: chainTag(this.#log.at(-1)?.tag ?? "", name), of });
    }
  }

  /** Answers what was asked, and delivers what is new, until both sides are quiet. */
  async #serve(): Promise<void> {
    const connection = this.#connection;
    if (!connection) return;
    for (let quiet = false; !quiet; ) {
      await this.world.runtime.settle();
      const asked = connection.fresh();
      quiet = asked.length === 0 && (this.#told ?? this.#log.length) === this.#log.length;
      for (const message of asked) await this.#answer(message);
      await this.#deliver();
    }
  }

  async #answer(message: ClientMessageInput): Promise<void> {
    const connection = this.#connection;
    if (message.type === "state") {
      const { json, next } = cutPiece(this.stage.state, message.after, 1_024);
      const piece = {
        piece: JSON.parse(json),
        position: this.#position(),
        version: 1,
        model: "jobs",
        channel: CHANNEL,
      };
      await connection?.say({ type: "piece", id: message.id, ...piece, ...(next === undefined ? {} : { next }) });
    } else if (message.type === "subscribe") {
      this.#told = (message.from as { readonly offset: number }).offset;
      const { from: position, id } = message;
      await connection?.say({ type: "subscribed", id, channel: CHANNEL, position, head: this.#log.length });
    } else if (message.type === "command" && !this.deaf.has(message.command)) await this.#decide(message);
  }

  async #decide({ id, command, input, producer, seq }: Sent<"command">): Promise<void> {
    const outcome = this.stage.command(WORKER, command as "claim", input as CommandInput<Jobs, "claim">);
    this.decided.push({ command, input: input as Record<string, unknown>, status: outcome.status });
    if (outcome.status === "accepted") {
      this.#store(outcome.events, (index) => eventId(producer, seq, index));
      await this.#deliver();
      await this.#connection?.say({ type: "published", id, position: this.#position() });
    } else {
      const reason = outcome.status === "rejected" ? { reason: outcome.reason } : {};
      const code = outcome.status === "rejected" ? "rejected" : "invalid-data";
      await this.#connection?.say({ type: "error", id, code, message: code, retryable: false, ...reason });
    }
  }

  #position() {
    const tag = this.#log.at(-1)?.tag;
    return tag === undefined ? { epoch: "-", offset: 0, tag: "" } : { epoch: "e1", offset: this.#log.length, tag };
  }

  async #deliver(): Promise<void> {
    const from = this.#told;
    if (from === undefined || from >= this.#log.length) return;
    const to = this.#log.length;
    this.#told = to;
    const events = this.#log.slice(from).map(({ id, of }, index) => ({
      offset: from + index + 1,
      id,
      type: `jobs.${of.type}`,
      time: of.info.time,
      ...(of.info.author === undefined ? {} : { author: of.info.author }),
      data: of.data,
    }));
    const range = { from, to, tag: this.#log.at(-1)?.tag ?? "", ...(from === 0 ? { epoch: "e1" } : {}) };
    await this.#connection?.say({ type: "events", channel: CHANNEL, ...range, events });
  }
}
