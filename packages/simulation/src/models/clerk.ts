import type { Client, Model, ModelState, Sent } from "@tandem/client";
import { model } from "@tandem/client";
import type { AnyModel } from "@tandem/model";
import type { FenceToken, Position } from "@tandem/protocol";
import type { SimulatedApp } from "../app.ts";
import type { Visitor } from "../visitor.ts";
import { split } from "../visitor.ts";
import type { World } from "../world.ts";
import type { Command } from "./book.ts";
import type { DeskModel } from "./desk.ts";
import { models } from "./desk.ts";
import type { Draft } from "./drafts.ts";
import { Glass } from "./glass.ts";
import { olderDraft, olderPurse } from "./purse.ts";

/** A use of a model whose kind does not matter. */
export type Handle = Omit<Model<AnyModel>, "send" | "state" | "at"> & {
  readonly state: { get(): ModelState<object>; subscribe(listener: () => void): () => void };
  send(command: string, input: unknown, options?: { fence?: FenceToken | undefined }): Sent;
  at(position: Position): Promise<object>;
};

/** A model of a channel, as one client uses it. */
export interface Desk<N extends DeskModel = DeskModel> {
  readonly channel: string;
  readonly name: N;
  readonly handle: Handle;
  readonly glass: Glass;
  /** Where the state was when it was looked at. */
  readonly places: Position[];
}

/** Most models that one client has in use. */
const OPEN = 8;

/** A visitor at the desks, in one life of its client. */
export class Clerk<N extends DeskModel = DeskModel> {
  readonly visitor: Visitor;
  readonly client: Client<SimulatedApp>;
  readonly desks: Desk<N>[] = [];
  /** The newest token of each lock that it was seen to hold, by channel and lock: it may have lost it since. */
  readonly tokens = new Map<string, FenceToken>();
  readonly #world: World;
  readonly #instance: string;
  /** Its models are those of before. */
  readonly #older: boolean;

  constructor(visitor: Visitor, world: World) {
    this.visitor = visitor;
    this.client = visitor.client;
    this.#world = world;
    this.#instance = visitor.instance;
    this.#older = world.desks.older;
  }

  #definition(name: DeskModel): AnyModel {
    return this.#older && name === "purse" ? olderPurse : models[name];
  }

  /** The model of a channel, from now on in use if it was not. */
  open(channel: string, name: N): Desk<N> | undefined {
    const known = this.desks.find((desk) => desk.channel === channel && desk.name === name);
    if (known || this.desks.length >= OPEN) return known;
    const [type, id] = split(channel) as ["desk", string];
    const handle = model(
      this.client.channel(type, id),
      name as never,
      this.#definition(name) as never,
    ) as unknown as Handle;
    const key = `${this.visitor.person.tenant}/${channel}`;
    const { user } = this.visitor.person;
    const glass = new Glass(this.#world, `${this.#instance} at ${name} of ${key}`, {
      channel: key,
      name,
      user,
      handle,
    });
    const desk: Desk<N> = { channel, name, handle, glass, places: [] };
    const { process } = this.visitor;
    handle.state.subscribe(() => {
      if (process.alive) this.#look(desk);
    });
    this.desks.push(desk);
    return desk;
  }

  close(desk: Desk<N>): void {
    this.desks.splice(this.desks.indexOf(desk), 1);
    desk.glass.closed = true;
    desk.handle.close();
  }

  #look(desk: Desk<N>): void {
    desk.glass.look();
    const state = desk.handle.state.get();
    if (state.kind !== "ready") return;
    desk.places.push(state.position);
    if (desk.places.length > 20) desk.places.shift();
    if (desk.name !== "locks") return;
    const { locks } = state.value as {
      locks: Iterable<readonly [string, { token: number; holder?: { user: string | null } }]>;
    };
    for (const [lock, { token, holder }] of locks) {
      if (holder?.user === this.visitor.person.user)
        this.tokens.set(`${desk.channel} locks/${lock}`, { name: `locks/${lock}`, token });
    }
  }

  send(desk: Desk<N>, made: Draft): void {
    const { command, input, fence, label } = this.#older && desk.name === "purse" ? olderDraft(made) : made;
    this.#note(desk, fence, label, { command, input }, () => desk.handle.send(command, input, { fence }));
  }

  undo(desk: Desk<N>, what: "undo" | "redo"): void {
    this.#note(desk, undefined, undefined, undefined, () => desk.handle[what]());
  }

  /** @param said what is sent; `undefined`: it comes to light when it is sent */
  #note(
    { channel, name, glass }: Desk<N>,
    fence: FenceToken | undefined,
    label: string | undefined,
    said: { command: string; input: unknown } | undefined,
    send: () => Sent | undefined,
  ): void {
    const { process, person } = this.visitor;
    const { result: sent, ids } = process.listening(send);
    const [nonce] = ids;
    if (!sent || nonce === undefined) return;
    const { tenant, user, grants } = person;
    const admin = (grants[`${channel.slice(0, channel.indexOf(":"))}:a*`] ?? []).includes("admin");
    if (!said) {
      this.#world.tally.count("path", "model-undone");
      this.#world.desks.book.expect(nonce, (command) => {
        command.by = this.#instance;
        follow(this.#world, command, sent, process);
      });
      return;
    }
    const command = this.#world.desks.book.sent(
      {
        channel: `${tenant}/${channel}`,
        user,
        model: name,
        command: said.command,
        version: this.#definition(name).version,
        input: JSON.parse(JSON.stringify(said.input)),
        nonce,
        fence,
        admin,
      },
      this.#instance,
    );
    follow(this.#world, command, sent, process);
    if (label !== undefined) glass.expect(label, command);
  }
}

/** The clerks of those who visit: each has another one when its page was loaded anew. */
export class Clerks<N extends DeskModel> {
  readonly #world: World;
  readonly #clerks = new Map<Visitor, Clerk<N>>();

  constructor(world: World) {
    this.#world = world;
  }

  of(visitor: Visitor): Clerk<N> {
    const known = this.#clerks.get(visitor);
    if (known?.client === visitor.client) return known;
    const clerk = new Clerk<N>(visitor, this.#world);
    this.#clerks.set(visitor, clerk);
    return clerk;
  }

  /** Those whose visitors have not been loaded anew since. */
  get present(): Clerk<N>[] {
    return [...this.#clerks.values()].filter((clerk) => clerk.client === clerk.visitor.client);
  }
}

/** Notes what a client is told of its command. */
function follow({ clock, history }: World, command: Command, sent: Sent, process: { readonly alive: boolean }): void {
  const note = () => {
    if (!process.alive) return;
    const status = sent.status.get();
    command.statuses.push(status.kind === "pending" ? status.stage : status.kind);
    if (status.kind === "pending") return;
    if (command.verdict)
      history.violate("G14", clock.now, `a command was settled twice: ${command.statuses.join(", ")}`);
    command.settledAt = clock.now;
    if (status.kind === "confirmed") command.verdict = { kind: "confirmed", position: status.position };
    else if (status.kind === "rejected") command.verdict = { kind: "rejected", code: status.error.code };
    else command.verdict = { kind: "unknown" };
  };
  sent.status.subscribe(note);
  note();
}
