import type { FeedState, InboxState, JobState, TallyState } from "@tandem/model";
import type { Application } from "@tandem/server/core";
import { nameIn } from "../eyes.ts";
import type { Process } from "../process.ts";
import type { Random } from "../random.ts";
import type { Visitor } from "../visitor.ts";
import type { World } from "../world.ts";
import { Authors } from "./authors.ts";
import type { BenchModel } from "./bench.ts";
import type { Clerk, Desk } from "./clerk.ts";
import { Clerks } from "./clerk.ts";
import type { Draft } from "./drafts.ts";
import { Inspector } from "./inspector.ts";
import { feedDraft, inboxDraft, tallyDraft } from "./notices.ts";
import { jobDraft } from "./orders.ts";
import { Shop } from "./shop.ts";
import { Staff } from "./staff.ts";
import { ofTandem, witnessed } from "./witness.ts";

const WEIGHTS = {
  command: 30,
  undo: 2,
  "application-command": 10,
  rest: 2,
  write: 4,
  "read-text": 6,
  "stop-text": 4,
  inspect: 2,
  travel: 1,
  "remove-bench": 0.3,
};

/** What is used more, and what less. */
const MODELS: Record<BenchModel, number> = { jobs: 10, feed: 4, inbox: 5, tally: 3 };

type WorkshopModel = BenchModel | "stream";

type Operation = keyof typeof WEIGHTS;

/** Mean time between two of them, in operations of the schedule: there are some thirty. */
const PACE = 7;

/** Where people have work done, and are told of it: a bench, with workers, and all who start, cancel and meddle. */
export class Workshop {
  readonly tenant = "acme";
  readonly channel: string;
  readonly shop: Shop;
  readonly staff: Staff;
  readonly authors: Authors;
  readonly #world: World;
  readonly #random: Random;
  readonly #visitors: readonly Visitor[];
  readonly #clerks: Clerks<WorkshopModel>;
  readonly #inspector: Inspector;
  #n = 0;
  #over = false;

  /** @param random a source of its own: schedules without workshops stay as they are */
  constructor(world: World, visitors: readonly Visitor[], random: Random) {
    this.#world = world;
    this.#random = random;
    this.channel = random.pick(["bench:a0", "shelf:a0"]);
    this.#visitors = visitors.filter(({ person }) => person.tenant === this.tenant);
    this.#clerks = new Clerks(world);
    this.#inspector = new Inspector(world, random);
    this.shop = new Shop(world);
    this.authors = new Authors(world, random);
    this.staff = new Staff(world, this.shop, random, this);
  }

  get visitors(): readonly Visitor[] {
    return this.#visitors;
  }

  get #users(): readonly string[] {
    return this.#visitors.map(({ person }) => person.user);
  }

  get clerks(): readonly Clerk<WorkshopModel>[] {
    return this.#clerks.present;
  }

  /** `tenant/type:id`. */
  get key(): string {
    return `${this.tenant}/${this.channel}`;
  }

  /** The jobs as the log has them. */
  get jobs(): JobState {
    return this.#world.desks.oracle.now(this.key).jobs as JobState;
  }

  start(): void {
    this.staff.start();
    this.#next();
  }

  stop(): void {
    this.#over = true;
    this.staff.labour.calm = true;
  }

  #next(): void {
    this.#world.clock.after(this.#random.around(PACE * this.#world.climate.pace), undefined, () => {
      if (this.#over) return;
      this.#operate(this.#random.weighted(WEIGHTS));
      this.#next();
    });
  }

  #operate(operation: Operation): void {
    const { world, channel } = { world: this.#world, channel: this.channel };
    const random = this.#random;
    const visitor = random.pick(this.#visitors);
    const clerk = this.#clerks.of(visitor);
    const name = random.weighted(MODELS);
    world.say(() => `— ${operation} ${visitor.name} ${channel}`);
    world.tally.count("operation", `workshop.${operation}`);
    switch (operation) {
      case "command":
        return this.#send(clerk, clerk.open(channel, name), name);
      case "undo": {
        const desk = clerk.open(channel, name);
        return desk && clerk.undo(desk, "undo");
      }
      case "application-command": {
        const user = random.chance(0.3) ? visitor.person.user : undefined;
        return this.command(name, this.#draft(name, user, world.desks.oracle.now(this.key)[name]), user);
      }
      case "rest":
        return this.staff.rest();
      case "write":
        return this.administer(async (application, process) => this.authors.write(application, process, channel));
      case "read-text":
        return this.#readText(visitor);
      case "stop-text": {
        const text = this.#text(visitor);
        return text && clerk.send(text, { command: "stop", input: {} });
      }
      case "inspect":
        return void this.#inspector.inspect(this.tenant, channel, name);
      case "travel": {
        const desk = clerk.open(channel, name);
        return desk && void this.#inspector.travel(clerk, desk);
      }
      case "remove-bench":
        return this.administer((application) => application.remove(channel));
      default:
        operation satisfies never;
    }
  }

  /** One of the texts, as this visitor sees it. */
  #text(visitor: Visitor): Desk<WorkshopModel> | undefined {
    const channel = this.authors.texts.at(-1);
    return channel === undefined ? undefined : this.#clerks.of(visitor).open(nameIn(channel), "stream");
  }

  /** Reads one as it comes: as the model's state, or its chunks from some place on. Nobody looks at many. */
  #readText(visitor: Visitor): void {
    const channel = this.authors.texts.at(-1);
    if (channel === undefined) return;
    if (visitor.readings.length < 4 && this.#random.chance(0.4))
      return visitor.subscribe(nameIn(channel), { from: { last: this.#random.whole(1, 3) } });
    const clerk = this.#clerks.of(visitor);
    const old = clerk.desks.find(({ name, channel: known }) => name === "stream" && known !== nameIn(channel));
    if (old) clerk.close(old);
    this.#text(visitor);
  }

  #send(clerk: Clerk<WorkshopModel>, desk: Desk<WorkshopModel> | undefined, name: BenchModel): void {
    const state = desk?.handle.state.get();
    if (!desk || state?.kind === "failed") return;
    clerk.send(desk, this.#draft(name, clerk.visitor.person.user, state?.value));
  }

  #draft(name: BenchModel, user: string | undefined, state: object | undefined): Draft {
    const n = ++this.#n;
    switch (name) {
      case "jobs":
        return jobDraft(this.#random, n, user, state as JobState | undefined);
      case "feed":
        return feedDraft(this.#random, n, this.#users, state as FeedState | undefined);
      case "inbox":
        return inboxDraft(this.#random, n, user !== undefined, state as InboxState | undefined);
      case "tally":
        return tallyDraft(this.#random, user, state as TallyState | undefined);
    }
  }

  /** What the application asks of a model, on some node. */
  command(name: BenchModel, { command, input }: Pick<Draft, "command" | "input">, user?: string): void {
    this.administer((application) =>
      application.model(this.channel, name).command(command, input, user === undefined ? {} : { user }),
    );
  }

  /** What the application does, on some node. */
  administer(action: (application: Application, process: Process) => Promise<unknown>): void {
    const up = this.#world.hosts.flatMap(({ node, process }) => (node && process ? [{ node, process }] : []));
    if (up.length === 0) return;
    const { node, process } = this.#random.pick(up);
    action(witnessed(this.#world, node.application(this.tenant), process), process).catch(ofTandem);
  }
}
