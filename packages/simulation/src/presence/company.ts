import type { Random } from "../random.ts";
import type { Visitor } from "../visitor.ts";
import type { World } from "../world.ts";
import { Guest } from "./guest.ts";
import { CLOSED_HALL, GALLERY, SIGNALS } from "./hall.ts";
import { Impostor } from "./impostor.ts";

const WEIGHTS = {
  enter: 12,
  watch: 6,
  update: 14,
  activity: 5,
  leave: 5,
  signal: 16,
  "take-back": 2,
  hush: 2,
  intrude: 1,
  impostor: 4,
};

type Operation = keyof typeof WEIGHTS;

/** Mean milliseconds between two of them. */
const PACE_MS = 90;

/** What the visitors of a schedule do with presence and signals, beside everything else. */
export class Company {
  /** Where they go. */
  readonly halls: readonly string[];
  readonly #world: World;
  readonly #random: Random;
  readonly #visitors: readonly Visitor[];
  readonly #guests = new Map<Visitor, Guest>();
  readonly #impostor: Impostor;
  #n = 0;
  #over = false;

  /** @param random a source of its own: schedules without company stay as they are */
  constructor(world: World, visitors: readonly Visitor[], halls: readonly string[], random: Random) {
    this.halls = halls;
    this.#world = world;
    this.#visitors = visitors;
    this.#random = random;
    this.#impostor = new Impostor(world, random, () => ++this.#n);
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

  /** The guest that a visitor is in this life. */
  guest(visitor: Visitor): Guest {
    const known = this.#guests.get(visitor);
    if (known?.client === visitor.client) return known;
    const guest = new Guest(visitor.client);
    this.#guests.set(visitor, guest);
    return guest;
  }

  number(): number {
    return ++this.#n;
  }

  #operate(operation: Operation): void {
    const random = this.#random;
    const visitor = random.pick(this.#visitors);
    const guest = this.guest(visitor);
    const hall = guest.halls.length > 0 && random.chance(0.7) ? random.pick(guest.halls) : random.pick(this.halls);
    this.#world.say(() => `— ${operation} ${visitor.name} ${hall}`);
    this.#world.tally.count("operation", `presence.${operation}`);
    switch (operation) {
      case "enter":
        return guest.come(hall, this.number());
      case "watch":
        return guest.come(hall, undefined);
      case "update":
        return guest.update(hall, this.number());
      case "activity":
        return guest.turn(random.pick(["active", "idle", "away"]));
      case "leave":
        return guest.go(hall);
      case "signal":
        for (let left = random.chance(0.2) ? random.whole(3, 10) : 1; left > 0; left--)
          guest.signal(hall, random.pick(SIGNALS), this.number());
        return;
      case "take-back":
        return guest.signal(hall, random.pick(SIGNALS), null);
      case "hush":
        return guest.hush(hall, random.pick(SIGNALS));
      case "intrude":
        if (random.chance(0.5)) guest.come(GALLERY, this.number());
        else guest.come(CLOSED_HALL, undefined);
        return;
      case "impostor":
        return void this.#impostor.episode(random.pick(this.halls));
      default:
        operation satisfies never;
    }
  }
}
