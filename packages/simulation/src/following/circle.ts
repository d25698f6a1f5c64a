import type { Note } from "../app.ts";
import { EVENTS, SUBJECTS } from "../app.ts";
import { Operator } from "../operator.ts";
import type { Random } from "../random.ts";
import type { Visitor } from "../visitor.ts";
import type { World } from "../world.ts";
import { Tuner } from "./tuner.ts";

const WEIGHTS = {
  "tune-in": 8,
  "tune-out": 2,
  follow: 10,
  unfollow: 8,
  "application-follow": 5,
  "application-unfollow": 5,
  "send-to-user": 9,
  "send-urgent": 4,
  "send-to-all": 6,
  "send-to": 5,
  intrude: 3,
};

type Operation = keyof typeof WEIGHTS;

/** Mean milliseconds between two of them. */
const PACE_MS = 120;

/** Rooms that users follow, beside the channels of the schedule: more than a short list holds. */
const ROOMS = ["room:a10", "room:a11", "room:a12"];

/** A room that nobody may read; it can be on a list all the same. */
const CLOSED_ROOM = "room:closed";

/** What the visitors of a schedule follow, and what the application sends them, beside everything else. */
export class Circle {
  readonly #world: World;
  readonly #random: Random;
  readonly #visitors: readonly Visitor[];
  readonly #channels: readonly string[];
  readonly #operator: Operator;
  readonly #tuners = new Map<Visitor, Tuner>();
  #over = false;

  /** @param random a source of its own: schedules without it stay as they are */
  constructor(world: World, visitors: readonly Visitor[], channels: readonly string[], random: Random) {
    this.#world = world;
    this.#visitors = visitors;
    this.#channels = [...channels, ...ROOMS];
    this.#random = random;
    this.#operator = new Operator(world, random);
  }

  start(): void {
    this.#world.clock.after(this.#random.around(PACE_MS), undefined, () => {
      if (this.#over) return;
      this.#operate(this.#random.weighted(WEIGHTS));
      this.start();
    });
  }

  stop(): void {
    this.#over = true;
  }

  /** What a visitor follows in this life. */
  tuner(visitor: Visitor): Tuner {
    const known = this.#tuners.get(visitor);
    if (known?.client === visitor.client) return known;
    known?.tuneOut();
    const tuner = new Tuner(this.#world, visitor);
    this.#tuners.set(visitor, tuner);
    return tuner;
  }

  /** Asks the application to change the lists that did not change since then. @returns whether there are none */
  changeAll(since: number): boolean {
    const users = new Map(this.#visitors.map(({ person }) => [`${person.tenant}/${person.user}`, person]));
    const unchanged = [...users.values()].filter((person) => this.#world.lists.now(person).at < since);
    for (const { tenant, user } of unchanged) {
      const [room = CLOSED_ROOM] = ROOMS;
      const [first] = this.#world.lists.now({ tenant, user }).channels;
      this.#operator.changeFollowing(first ? "unfollow" : "follow", tenant, user, first ?? room);
    }
    return unchanged.length === 0;
  }

  #operate(operation: Operation): void {
    const random = this.#random;
    const visitor = random.pick(this.#visitors);
    const tuner = this.tuner(visitor);
    const { tenant, user } = visitor.person;
    const channel = random.pick(this.#channels);
    this.#world.say(() => `— ${operation} ${visitor.name} ${channel}`);
    this.#world.tally.count("operation", `following.${operation}`);
    switch (operation) {
      case "tune-in":
        return tuner.tuneIn(random.chance(0.7) ? undefined : { last: random.whole(0, 10) });
      case "tune-out":
        return tuner.tuneOut();
      case "follow":
      case "unfollow":
        return tuner.change(operation, channel);
      case "application-follow":
        return this.#operator.changeFollowing("follow", tenant, user, random.chance(0.1) ? CLOSED_ROOM : channel);
      case "application-unfollow": {
        const { channels } = this.#world.lists.now({ tenant, user });
        return this.#operator.changeFollowing("unfollow", tenant, user, random.pick([channel, ...channels]));
      }
      case "send-to-user":
      case "send-urgent":
        return this.#sendToUser(tenant, user, operation === "send-urgent");
      case "send-to-all": {
        const [event, note] = [random.pick(EVENTS), this.#note()];
        return this.#operator.send(tenant, "tenant:all", note, (application) => application.sendToAll(event, note));
      }
      case "send-to": {
        const [event, note] = [random.pick(EVENTS), this.#note()];
        return this.#operator.send(tenant, channel, note, async (application) => {
          const [position] = await application.sendTo(channel, event, note);
          if (!position) throw new Error("sendTo told no position");
          return position;
        });
      }
      case "intrude":
        return this.#intrude(visitor, tuner);
      default:
        operation satisfies never;
    }
  }

  #sendToUser(tenant: string, user: string, urgent: boolean): void {
    const event = this.#random.pick(EVENTS);
    const note = this.#note();
    const channel = `${urgent ? "user-urgent" : "user"}:${user}`;
    this.#operator.send(tenant, channel, note, (application) => application.sendToUser(user, event, note, { urgent }));
  }

  /** Wants what only another has; and to write what is for the application to write. */
  #intrude(visitor: Visitor, tuner: Tuner): void {
    const random = this.#random;
    const { user } = visitor.person;
    const others = ["ann", "bob", "cid"].filter((other) => other !== user);
    const type = random.pick(["user", "user-urgent"] as const);
    const other = random.pick(others);
    switch (random.pick(["read", "page", "follow", "write"] as const)) {
      case "read": {
        const channel = visitor.client.channel(type, other);
        const subscription = channel.subscribe({ from: { last: 5 }, onEvents: () => {} });
        this.#world.clock.after(1_000, visitor.process, () => subscription.unsubscribe());
        return;
      }
      case "page":
        visitor.client
          .channel(type, other)
          .history({ limit: 5 })
          .catch(() => {});
        return;
      case "follow":
        return tuner.change("follow", `${type}:${other}`);
      case "write":
        return visitor.publish(`${type}:${user}`, "note", this.#note(), "forbidden");
    }
  }

  #note(): Note {
    const random = this.#random;
    const n = this.#world.history.number();
    return { n, about: random.whole(0, SUBJECTS - 1), text: "x".repeat(random.whole(1, 200)) };
  }
}
