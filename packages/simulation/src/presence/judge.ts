import type { Member } from "@tandem/protocol";
import type { Node } from "@tandem/server/core";
import type { Host } from "../host.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";
import type { Numbered } from "./hall.ts";
import type { Place, Roll, Shown } from "./roll.ts";

/** Between two looks, in milliseconds. */
const LOOK_MS = 500;

/** News are told and passed on within this, in milliseconds, beside their way over the bus: a tick, and a look of the node's own. */
const TOLD_MS = 700;

/** Longest way of a message over the bus, in mean ways. */
const LONGEST_WAY = 10;

/** A node that was kept from its work, or the bus, has caught up with everything by then, in milliseconds: what was lost meanwhile has left, too. */
const RECOVERED_MS = 14_000;

/** A node that was started has heard everything of the others by then, in milliseconds. */
const LEARNED_MS = 3_000;

/** However bad the bus was: nobody is shown for longer than this, in milliseconds, after the last one who held the place. */
const GHOST_MS = 40_000;

const TENANTS = ["acme", "beta"] as const;

/** How a node shows the devices of one hall. */
interface View {
  readonly key: string;
  members(): readonly Member[];
  known: ReadonlyMap<string, Shown>;
}

/** A node's own view of all halls. */
interface Observed {
  readonly process: Process;
  readonly since: number;
  readonly views: readonly View[];
}

/**
 * Looks at every node's own view of who is where, as its application has it, whenever that changes and every half second, and holds it
 * against the roll. While nothing keeps a node or the bus from their work, each device is shown as it stands: G6.
 */
export class Judge {
  readonly #world: World;
  readonly #halls: readonly string[];
  readonly #roll: Roll;
  readonly #observed = new Map<Host, Observed>();
  /** Longest way of a message over the bus, in milliseconds, at its worst. */
  readonly #way: number;
  #disturbedUntil = 0;

  constructor(world: World, halls: readonly string[]) {
    this.#world = world;
    this.#halls = halls;
    this.#way = world.bus.weather.delay * LONGEST_WAY;
    this.#roll = world.wire.register.roll;
  }

  start(): void {
    this.#look();
    this.#world.clock.after(LOOK_MS, undefined, () => this.start());
  }

  #look(): void {
    const { clock, hosts, bus } = this.#world;
    this.#disturbed(bus.weather.loss > 0 ? clock.now : bus.outageUntil);
    for (const host of hosts) this.#disturbed(host.process?.pausedUntil ?? 0);
    for (const host of hosts) {
      const { node, process } = host;
      if (!node || !process) continue;
      let observed = this.#observed.get(host);
      if (observed?.process !== process) {
        observed = this.#observe(node, process);
        this.#observed.set(host, observed);
      }
      if (process.pausedUntil > clock.now) continue;
      for (const view of observed.views) this.#judge(observed, view);
    }
  }

  #disturbed(until: number): void {
    if (until > 0) this.#disturbedUntil = Math.max(this.#disturbedUntil, until + RECOVERED_MS);
  }

  #observe(node: Node, process: Process): Observed {
    const views: View[] = [];
    const observed: Observed = { process, since: this.#world.clock.now, views };
    for (const tenant of TENANTS) {
      for (const hall of this.#halls) {
        const attendance = node.application(tenant).presence(hall);
        const view: View = { key: `${tenant}/${hall}`, members: () => attendance.members(), known: new Map() };
        views.push(view);
        attendance.subscribe(() => {
          if (process.alive) this.#judge(observed, view);
        });
      }
    }
    return observed;
  }

  #judge(observed: Observed, view: View): void {
    const { clock, bus } = this.#world;
    const shown = new Map(view.members().map((member) => [member.device, member]));
    const known = new Map<string, Shown>();
    const isCalm = clock.now >= this.#disturbedUntil && clock.now >= bus.outageUntil;
    const hasLearned = clock.now >= observed.since + LEARNED_MS + 4 * this.#way;
    for (const place of this.#roll.in(view.key)) {
      const member = shown.get(place.device);
      const as = shownAs(member);
      if (place.hasEntered) known.set(place.device, as);
      this.#count(view.known.get(place.device) ?? "gone", as, place);
      if (member) this.#checkGhost(observed, place, as);
      if (isCalm && hasLearned) this.#checkStanding(observed, place, member, as, TOLD_MS + this.#way);
    }
    view.known = known;
    for (const [device, { user }] of shown) {
      if (!known.has(device))
        this.#wrong(observed, "R5", `shows ${device} of ${user} in ${view.key}, who has never entered`);
    }
  }

  #checkStanding(observed: Observed, place: Place, member: Member | undefined, as: Shown, spread: number): void {
    const { now } = this.#world.clock;
    const clear = this.#disturbedUntil - RECOVERED_MS;
    const allowed = place.allowed(now, spread, observed.since, clear);
    if (!allowed.has(as)) {
      const mark = place.now;
      const stands = mark ? `${mark.phase} at ${mark.node.name} since ${Math.round(now - mark.at)} ms` : "not there";
      return this.#wrong(
        observed,
        "G6",
        `shows ${place.device} of ${place.user} in ${place.key} as ${as}: it is ${stands}, and may be ${[...allowed].join(" or ")}`,
      );
    }
    if (!member) return;
    const shown = (member.state as Numbered | undefined)?.n;
    const due = place.saidBy(now - spread, clear);
    if (!place.said.some(({ seq, n }) => n === shown && seq >= due))
      this.#wrong(
        observed,
        "R2",
        `shows ${shown} of ${place.device} in ${place.key}, and its client has said something newer`,
      );
  }

  #checkGhost(observed: Observed, place: Place, as: Shown): void {
    const { clock } = this.#world;
    const { heldUntil = Number.POSITIVE_INFINITY } = place;
    const asleep = Math.max(observed.since, observed.process.pausedUntil, this.#world.bus.outageUntil);
    // Who has come in a request whose answer is held back is there, whoever knows of it.
    if (place.unsure.some(({ until }) => until >= clock.now)) return;
    if (clock.now > Math.max(heldUntil, asleep) + GHOST_MS)
      this.#wrong(
        observed,
        "G6",
        `shows ${place.device} of ${place.user} in ${place.key} as ${as}, ${Math.round(clock.now - heldUntil)} ms after it was gone`,
      );
  }

  #count(before: Shown, as: Shown, { now: mark }: Place): void {
    if (before === as) return;
    const { tally } = this.#world;
    tally.count("path", `presence.shown-${as}`);
    if (as === "reconnecting" && mark && !mark.node.alive) tally.count("path", "presence.lapsed");
    if (as === "here" && before === "reconnecting") tally.count("path", "presence.back-before-leave");
  }

  #wrong({ process }: Observed, rule: string, text: string): void {
    this.#world.history.violate(rule, this.#world.clock.now, `${process.name} ${text}`);
  }
}

function shownAs(member: Member | undefined): Shown {
  if (!member) return "gone";
  return member.status === "reconnecting" ? "reconnecting" : "here";
}
