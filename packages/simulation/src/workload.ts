import type { EventType, Note } from "./app.ts";
import { FEED_COUNT, SUBJECTS, TYPES } from "./app.ts";
import { Faults } from "./faults.ts";
import { hasMembers } from "./memberships.ts";
import { DESKS } from "./models/desk.ts";
import { Operator } from "./operator.ts";
import { readPage } from "./pages.ts";
import { HALL_GRANTS } from "./presence/hall.ts";
import type { Random } from "./random.ts";
import { RawClient } from "./raw-client.ts";
import { RawReader } from "./raw-reader.ts";
import { drawFilter, drawLane } from "./tastes.ts";
import type { Person } from "./tokens.ts";
import type { ReadingOptions } from "./visitor.ts";
import { Visitor } from "./visitor.ts";
import type { World } from "./world.ts";

/** Operations of a schedule, at least. */
const OPERATIONS = 200;

/** Rights in the channels that a schedule uses. The channel `room:closed` is in nobody's. */
const GRANTS = {
  ...Object.fromEntries(TYPES.map((type) => [`${type}:a*`, ["read", "publish"] as const])),
  ...HALL_GRANTS,
  ...Object.fromEntries(DESKS.map((type) => [`${type}:a*`, ["read", "publish", "write"] as const])),
};

/** …and of one who may do everything at a desk. */
const CHIEF = { ...GRANTS, ...Object.fromEntries(DESKS.map((type) => [`${type}:a*`, ["admin"] as const])) };

const PEOPLE: readonly Person[] = [
  { tenant: "acme", user: "ann", grants: GRANTS },
  { tenant: "acme", user: "bob", grants: GRANTS },
  { tenant: "beta", user: "ann", grants: GRANTS },
  { tenant: "acme", user: "ann", grants: GRANTS },
  { tenant: "acme", user: "cid", grants: CHIEF },
];

const WEIGHTS = {
  publish: 40,
  burst: 3,
  flood: 2,
  "publish-invalid": 2,
  "publish-forbidden": 2,
  "publish-application": 6,
  episode: 1.5,
  subscribe: 9,
  resubscribe: 5,
  "change-subscription": 4,
  "change-in-one-frame": 4,
  unsubscribe: 5,
  history: 5,
  disconnect: 2,
  connect: 4,
  wake: 2,
  authenticate: 2,
  reload: 1.5,
  redact: 2,
  archive: 0.7,
  remove: 0.6,
  revoke: 1.2,
  expel: 2,
  admit: 2,
  fault: 16,
};

type Operation = keyof typeof WEIGHTS;

/** The work of a schedule: operations one after the other, each as chance has it. */
export class Workload {
  readonly visitors: readonly Visitor[];
  readonly #world: World;
  readonly #random: Random;
  readonly #operator: Operator;
  readonly #raw: RawClient;
  readonly rawReader: RawReader | undefined;
  readonly #faults: Faults;
  /** The channels that are read and written. */
  readonly channels: readonly string[];
  readonly #weights: Readonly<Record<Operation, number>>;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random.fork();
    const random = this.#random;
    this.visitors = PEOPLE.slice(0, world.climate.clients).map(
      (person, at) => new Visitor(`c${at + 1}`, person, world),
    );
    this.#operator = new Operator(world);
    this.#raw = new RawClient("raw", PEOPLE[1] as Person, PEOPLE[0] as Person, world);
    this.#faults = new Faults(world, this.visitors, random.fork());
    this.channels = Array.from(
      { length: world.climate.channels },
      (_, at) => `${at === 0 ? random.pick(["room", "feed"]) : random.pick(TYPES)}:a${at}`,
    );
    const reads = random.chance(0.6);
    this.rawReader = reads ? new RawReader("reader", random.pick(PEOPLE), this.channels, world) : undefined;
    // Each schedule has its own taste: some operations often, some never.
    const weights = Object.entries(WEIGHTS).map(([name, weight]) => [name, weight * random.pick(TASTES)]);
    this.#weights = {
      ...(Object.fromEntries(weights) as Record<Operation, number>),
      ...(world.climate.floods ? {} : { flood: 0 }),
      ...(reads ? {} : { "change-in-one-frame": 0 }),
      publish: WEIGHTS.publish,
      connect: WEIGHTS.connect,
    };
  }

  async run(): Promise<void> {
    const { clock, hosts, climate } = this.#world;
    for (const host of hosts) host.start();
    await clock.runUntil(50);
    const random = this.#random;
    for (const visitor of this.visitors) {
      visitor.start();
      if (random.chance(0.7)) visitor.subscribe(random.pick(this.channels), this.#reading());
    }
    this.rawReader?.start();
    for (let done = 0; done < OPERATIONS; done++) {
      await clock.runUntil(clock.now + random.around(climate.pace));
      this.#operate(random.weighted(this.#weights));
    }
    this.#faults.stop();
  }

  /** Lets in whoever was put out. Needs a node. */
  reconcile(): void {
    for (const [tenant, user] of this.#world.memberships.doubtful) this.#operator.admit(tenant, user);
  }

  #operate(operation: Operation): void {
    const random = this.#random;
    const visitor = random.pick(this.visitors);
    const channel = random.pick(this.channels);
    const tenant = visitor.person.tenant;
    this.#world.say(() => `— ${operation} ${visitor.name} ${channel}`);
    this.#world.tally.count("operation", operation);
    switch (operation) {
      case "publish":
        return visitor.publish(channel, this.#event(), this.#note(channel));
      case "burst":
        for (let left = random.whole(4, 12); left > 0; left--)
          visitor.publish(channel, this.#event(), this.#note(channel));
        return;
      case "flood":
        for (let left = random.whole(5, 20); left > 0; left--)
          this.#operator.publish(tenant, channel, this.#event(), this.#note(channel, 4_000));
        return;
      case "publish-invalid": {
        // Who may not write at all is told so first.
        const due = hasMembers(channel) ? undefined : "invalid-data";
        return visitor.publish(channel, "note", { n: this.#world.history.number(), text: 7 }, due);
      }
      case "publish-forbidden":
        return visitor.publish("room:closed", "note", this.#note("room:closed"), "forbidden");
      case "publish-application":
        return this.#operator.publish(tenant, channel, this.#event(), this.#note(channel));
      case "episode":
        return void this.#raw.episode(channel);
      case "subscribe":
        if (visitor.readings.length >= 4) return;
        return visitor.subscribe(channel, this.#reading());
      case "resubscribe":
        if (visitor.readings.length >= 4) return;
        return visitor.subscribe(channel, { ...this.#reading(), from: visitor.left(channel) ?? { last: 5 } });
      case "change-subscription": {
        if (visitor.readings.length === 0) return;
        const reading = random.pick(visitor.readings);
        visitor.unsubscribe(reading);
        return visitor.subscribe(reading.channel, { ...this.#reading(), from: visitor.left(reading.channel) });
      }
      case "change-in-one-frame":
        return this.rawReader?.change(channel);
      case "unsubscribe":
        if (visitor.readings.length > 0) visitor.unsubscribe(random.pick(visitor.readings));
        return;
      case "history": {
        const head = this.#world.ledger.head(`${tenant}/${channel}`).offset;
        const before = random.chance(0.5) ? {} : { before: random.whole(1, head + 1) };
        return void readPage(this.#world, visitor, channel, { ...before, limit: random.whole(1, 30) });
      }
      case "disconnect":
        visitor.wanted = false;
        return visitor.client.disconnect();
      case "connect":
        for (const each of this.visitors) {
          each.wanted = true;
          each.client.connect();
        }
        return;
      case "wake":
        return visitor.wake(!visitor.online || random.chance(0.8));
      case "authenticate":
        if (visitor.wanted) visitor.client.authenticate();
        return;
      case "reload":
        this.#world.tally.count("fault", "client-reload");
        return visitor.reload();
      case "redact": {
        const head = this.#world.ledger.head(`${tenant}/${channel}`).offset;
        if (head === 0) return;
        const offset = random.whole(Math.max(1, head - 20), head);
        return this.#operator.administer("redact", tenant, (application) => application.redact(channel, offset));
      }
      case "archive": {
        const end = () =>
          this.#operator.administer("unarchive", tenant, (application) => application.archive(channel, false));
        this.#operator.administer("archive", tenant, (application) => application.archive(channel));
        for (const after of [500, 3_000]) this.#world.clock.after(random.around(after), undefined, end);
        return;
      }
      case "remove":
        return this.#operator.administer("remove", tenant, (application) => application.remove(channel));
      case "revoke":
        if (random.chance(0.5)) visitor.bannedUntil = this.#world.clock.now + random.around(3_000);
        return this.#operator.revoke(tenant, visitor.person.user);
      case "expel":
        return this.#operator.expel(tenant, visitor.person.user);
      case "admit":
        return this.#operator.admit(tenant, visitor.person.user);
      case "fault":
        return this.#faults.strike();
      default:
        operation satisfies never;
    }
  }

  /** How a new reading begins. */
  #reading(): ReadingOptions {
    const random = this.#random;
    const from = random.chance(0.7) ? undefined : { last: random.whole(0, 2 * FEED_COUNT) };
    return { from, lane: drawLane(random), filter: drawFilter(random) };
  }

  #event(): EventType {
    return this.#random.chance(0.3) ? "memo" : "note";
  }

  /** @param longest letters of its text, for certain; mostly it is short */
  #note(channel: string, longest?: number): Note {
    const random = this.#random;
    const n = this.#world.history.number();
    const about = random.whole(0, SUBJECTS - 1);
    const long = longest !== undefined || random.chance(0.1);
    const text = "x".repeat(long ? random.whole(500, longest ?? 4_000) : random.whole(1, 60));
    return channel.startsWith("inbox") ? { n, about, to: random.pick(PEOPLE).user, text } : { n, about, text };
  }
}

/** Factors by which a schedule's taste differs from the usual. */
const TASTES = [0, 0.5, 1, 1, 2];
