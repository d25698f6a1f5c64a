import type { FenceToken } from "@tandem/protocol";
import type { Application } from "@tandem/server/core";
import { EPOCH_START } from "../process.ts";
import type { Random } from "../random.ts";
import type { Visitor } from "../visitor.ts";
import type { World } from "../world.ts";
import type { Clerk, Desk } from "./clerk.ts";
import { Clerks } from "./clerk.ts";
import type { OfficeModel } from "./desk.ts";
import { modelEventOf, models, OFFICE_MODELS } from "./desk.ts";
import type { Draft } from "./drafts.ts";
import { draft } from "./drafts.ts";
import { Inspector } from "./inspector.ts";
import { olderDraft, olderPurse } from "./purse.ts";
import { Twins } from "./twins.ts";
import { ofTandem, witnessed } from "./witness.ts";

const WEIGHTS = {
  command: 40,
  burst: 5,
  rush: 7,
  undo: 4,
  redo: 2,
  travel: 3,
  "close-model": 2,
  write: 8,
  "application-command": 8,
  inspect: 6,
  twins: 3,
  read: 2,
  "redact-message": 0.5,
  "archive-desk": 0.6,
  "remove-desk": 0.7,
};

type Operation = keyof typeof WEIGHTS;

/** Mean milliseconds between two of them. */
const PACE_MS = 80;

/** Share of the schedules with desks in which the models get their present version only on the way. */
const DEPLOYED = 0.25;

/** What the visitors of a schedule, and the application, do with models, beside everything else. */
export class Office {
  readonly channels: readonly string[];
  readonly #world: World;
  readonly #random: Random;
  readonly #visitors: readonly Visitor[];
  readonly #clerks: Clerks<OfficeModel>;
  readonly #inspector: Inspector;
  readonly #twins: Twins;
  #n = 0;
  #over = false;

  /** @param random a source of its own: schedules without desks stay as they are */
  constructor(world: World, visitors: readonly Visitor[], random: Random) {
    this.#world = world;
    this.#visitors = visitors;
    this.#random = random;
    this.channels = random.pick([["desk:a0"], ["drawer:a0"], ["desk:a0", "drawer:a1"]]);
    this.#clerks = new Clerks(world);
    this.#inspector = new Inspector(world, random);
    this.#twins = new Twins(world, random);
    world.desks.older = random.chance(DEPLOYED);
  }

  start(): void {
    if (this.#world.desks.older)
      this.#world.clock.after(this.#random.between(2_000, 14_000), undefined, () => this.#deploy());
    this.#next();
  }

  #next(): void {
    this.#world.clock.after(this.#random.around(PACE_MS), undefined, () => {
      if (this.#over) return;
      this.#operate(this.#random.weighted(WEIGHTS));
      this.#next();
    });
  }

  stop(): void {
    this.#over = true;
    if (this.#world.desks.older) this.#deploy();
  }

  get clerks(): readonly Clerk<OfficeModel>[] {
    return this.#clerks.present;
  }

  /** All nodes and clients get the present version of the models. */
  #deploy(): void {
    const world = this.#world;
    if (!world.desks.older) return;
    world.desks.older = false;
    world.tally.count("path", "models-deployed");
    for (const host of world.hosts) {
      host.crash(0);
      host.start();
    }
    for (const visitor of this.#visitors) visitor.reload();
  }

  /** A model in use: mostly one that is already. */
  #desk(clerk: Clerk<OfficeModel>, name?: OfficeModel): Desk<OfficeModel> | undefined {
    const random = this.#random;
    if (name === undefined && clerk.desks.length > 0 && random.chance(0.7)) return random.pick(clerk.desks);
    return clerk.open(random.pick(this.channels), name ?? random.pick(OFFICE_MODELS));
  }

  #operate(operation: Operation): void {
    const world = this.#world;
    const random = this.#random;
    const visitor = random.pick(this.#visitors);
    const channel = random.pick(this.channels);
    const { tenant } = visitor.person;
    const clerk = this.#clerks.of(visitor);
    world.say(() => `— ${operation} ${visitor.name} ${channel}`);
    world.tally.count("operation", `model.${operation}`);
    switch (operation) {
      case "command":
        return this.#send(clerk, this.#desk(clerk));
      case "burst": {
        const desk = this.#desk(clerk);
        for (let left = random.whole(3, 9); left > 0; left--) this.#send(clerk, desk);
        return;
      }
      case "rush": {
        const name = random.pick(OFFICE_MODELS);
        for (const each of this.#visitors) {
          const other = this.#clerks.of(each);
          this.#send(other, other.open(channel, name));
        }
        return this.#command(tenant, channel, name);
      }
      case "undo":
      case "redo": {
        const desk = this.#desk(clerk);
        return desk && clerk.undo(desk, operation);
      }
      case "travel": {
        const desk = this.#desk(clerk);
        return desk && void this.#inspector.travel(clerk, desk);
      }
      case "close-model":
        return clerk.desks.length > 2 ? clerk.close(random.pick(clerk.desks)) : undefined;
      case "write": {
        const event = random.chance(0.7) ? "memo" : "note";
        const fence = event === "memo" && random.chance(0.9) ? clerk.tokens.get(`${channel} locks/draft`) : undefined;
        const n = world.history.number();
        const due = event === "memo" && !fence ? ("fence-required" as const) : undefined;
        return visitor.publish(channel, event, { n, about: n % 4, text: "x" }, due, fence);
      }
      case "application-command":
        return this.#command(tenant, channel, random.pick(OFFICE_MODELS));
      case "inspect":
        return void this.#inspector.inspect(tenant, channel, random.pick(OFFICE_MODELS));
      case "twins":
        return void this.#twins.episode(visitor.person, channel, (name, state) =>
          this.#draft(visitor, name, state, channel),
        );
      case "read":
        return visitor.readings.length < 4 ? visitor.subscribe(channel, {}) : undefined;
      case "redact-message":
        return this.#redact(tenant, channel);
      case "archive-desk": {
        const end = () => this.#administer(tenant, (application) => application.archive(channel, false));
        for (const after of [300, 2_000]) world.clock.after(random.around(after), undefined, end);
        return this.#administer(tenant, (application) => application.archive(channel));
      }
      case "remove-desk":
        return this.#administer(tenant, (application) => application.remove(channel));
      default:
        operation satisfies never;
    }
  }

  #send(clerk: Clerk<OfficeModel>, desk: Desk<OfficeModel> | undefined): void {
    if (!desk) return;
    const state = desk.handle.state.get();
    if (state.kind === "failed") return;
    clerk.send(desk, this.#draft(clerk.visitor, desk.name, state.value, desk.channel, clerk.tokens));
  }

  #draft(
    { person: { user, tenant } }: Visitor,
    name: OfficeModel,
    state: object | undefined,
    channel: string,
    tokens?: ReadonlyMap<string, FenceToken>,
  ): Draft {
    const { desks, clock } = this.#world;
    const own = this.#visitors.filter(({ person }) => person.tenant === tenant).map(({ person }) => person.user);
    return draft(name, {
      random: this.#random,
      n: ++this.#n,
      user,
      users: [...new Set(own)],
      time: EPOCH_START + clock.now,
      state,
      token: (lock) => tokens?.get(`${channel} ${lock}`),
      whisper: (text, to) => desks.confidences.whisper(text, user, to),
    });
  }

  /** A node that is up, and what its application does there. */
  #administer(tenant: string, action: (application: Application) => Promise<unknown>): void {
    const up = this.#world.hosts.filter((host) => host.up);
    const node = up.length > 0 ? this.#random.pick(up).node : undefined;
    if (node) action(node.application(tenant)).catch(ofTandem);
  }

  #command(tenant: string, channel: string, name: OfficeModel): void {
    const up = this.#world.hosts.filter((host) => host.up);
    const host = up.length > 0 ? this.#random.pick(up) : undefined;
    const { node, process } = host ?? {};
    if (!node || !process) return;
    const random = this.#random;
    const names = this.#visitors.filter(({ person }) => person.tenant === tenant);
    const visitor = random.pick(names);
    const user = random.chance(0.5) ? visitor.person.user : undefined;
    const state = this.#world.desks.oracle.now(`${tenant}/${channel}`)[name];
    const isOlder = this.#world.desks.older && name === "purse";
    const made = this.#draft(visitor, name, state, channel);
    const { command, input } = isOlder ? olderDraft(made) : made;
    const { version } = isOlder ? olderPurse : models[name];
    // In nobody's name there is no whisper.
    if (command === "whisper" && user === undefined) return;
    witnessed(this.#world, node.application(tenant), process)
      .model(channel, name)
      .command(command, input, { ...(user !== undefined && { user }), version })
      .catch(ofTandem);
  }

  #redact(tenant: string, channel: string): void {
    const facts = this.#world.ledger.line(`${tenant}/${channel}`)?.facts ?? [];
    const spoken = facts.filter((fact) => modelEventOf(fact)?.name === "talk");
    // Each erased event doubles what may be held of the talk.
    if (spoken.length === 0 || spoken.filter(({ erased }) => erased).length >= 2) return;
    const { offset } = this.#random.pick(spoken);
    this.#administer(tenant, (application) => application.redact(channel, offset));
  }
}
