import { channelType, samePosition } from "@tandem/protocol";
import type { Connection } from "../connection.ts";
import { isAway, toCarry } from "../ending.ts";
import { sees } from "../eyes.ts";
import { isDesk } from "../models/desk.ts";
import type { Visitor } from "../visitor.ts";
import { mayOn } from "../wire/authority.ts";
import type { World } from "../world.ts";
import type { Circle } from "./circle.ts";
import { same } from "./lists.ts";
import { personalOf } from "./personal.ts";

/** Between two looks, in milliseconds. */
const LOOK_MS = 250;

/** A client has its whole list, and of each channel on it the newest event, within this after all is well, in milliseconds. */
const SETTLED_MS = 7_000;

/** Everybody is connected at the same time by then, in milliseconds. */
const TOGETHER_MS = 120_000;

/** Faults have stopped: the lists change once more, and everybody is subscribed to exactly what is on theirs, and at the head. */
export async function endCircle(world: World, circle: Circle, visitors: readonly Visitor[]): Promise<void> {
  const { clock, history, lists, tally } = world;
  const began = clock.now;
  for (const visitor of visitors) circle.tuner(visitor);
  for (;;) {
    const changed = circle.changeAll(began);
    await clock.runUntil(clock.now + LOOK_MS);
    const overdue = visitors.find((visitor) => circle.tuner(visitor).overdue);
    const isWaiting = visitors.some((visitor) => circle.tuner(visitor).waiting > 0);
    if (overdue) return history.violate("U3", clock.now, `${overdue.name} is not told what became of a change`);
    const unlike = visitors.flatMap((visitor) => {
      const problem = unlikeOf(world, circle, visitor);
      if (problem === undefined) return [];
      if (isAway(world, visitor)) visitor.awayAt = clock.now;
      const changedAt = lists.now(visitor.person).at;
      const since = Math.max(began, visitor.awayAt, changedAt, ...movedAt(world, visitor));
      return [{ problem, over: clock.now - since - SETTLED_MS - toCarryTo(world, visitor) }];
    });
    if (changed && !isWaiting && unlike.length === 0) return tally.count("path", "following-settled");
    const broken = unlike.find(({ over }) => over > 0);
    if (broken) return history.violate("U3", clock.now, `${broken.problem}, ${Math.round(broken.over)} ms too late`);
    if (clock.now > began + TOGETHER_MS) return;
  }
}

/** The channels on a visitor's list that they may read. */
function listOf({ lists }: World, { person }: Visitor): { readonly all: string[]; readonly readable: string[] } {
  const all = [...personalOf(person.user), ...lists.now(person).channels];
  return { all, readable: all.filter((channel) => mayOn(person, channel)) };
}

function movedAt(world: World, visitor: Visitor): number[] {
  return listOf(world, visitor).all.map((channel) => world.ledger.movedAt(`${visitor.person.tenant}/${channel}`));
}

/** Milliseconds that the channels on a list may take where bandwidth is bounded: what else the same connection carries goes before them. */
function toCarryTo(world: World, visitor: Visitor): number {
  return toCarry(world, visitor.person.tenant, listOf(world, visitor).all);
}

/** @returns what a visitor has otherwise than their list says */
function unlikeOf(world: World, circle: Circle, visitor: Visitor): string | undefined {
  const tuner = circle.tuner(visitor);
  const { name } = visitor;
  const { all, readable } = listOf(world, visitor);
  const connections = world.network.of(visitor.process).filter(({ side, whole }) => whole && !side);
  const [connection] = connections;
  if (!connection || connections.length > 1) return `${name} has ${connections.length} connections`;
  if (tuner.tuned && !same(tuner.channels, all))
    return `${name} believes to follow ${tuner.channels.join(", ")}, and follows ${all.join(", ")}`;
  const problem = connection.holds
    ? undefined
    : unlikeStanding(world, visitor, connection, tuner.tuned ? readable : []);
  return problem ?? (tuner.tuned ? notGiven(world, circle, visitor, readable) : undefined);
}

/**
 * @returns what the subscriptions of a connection have otherwise. Of one that holds its answers back until there is news, they are not heard of
 */
function unlikeStanding(
  world: World,
  { name, person, readings }: Visitor,
  connection: Connection,
  readable: readonly string[],
): string | undefined {
  const standing = world.wire.standing(connection);
  const wanted = new Set([...readable, ...readings.map(({ channel }) => channel)]);
  for (const channel of standing.keys()) {
    // Models read their channels by themselves.
    if (!wanted.has(channel) && !isDesk(channel))
      return `${name} is subscribed to ${channel}, which is not on its list`;
  }
  for (const channel of wanted) {
    const at = standing.get(channel);
    if (!at) return `${name} is not subscribed to ${channel}`;
    const head = world.ledger.head(`${person.tenant}/${channel}`);
    if (!samePosition(at.position, head))
      return `${name} was told ${at.position.offset} of ${channel}, the head is ${head.offset}`;
  }
  return undefined;
}

/** @returns the channel of which a visitor that reads it was not given the newest event for them */
function notGiven(
  { ledger }: World,
  circle: Circle,
  visitor: Visitor,
  channels: readonly string[],
): string | undefined {
  const { name, person } = visitor;
  for (const channel of channels) {
    const last = circle.tuner(visitor).lastOf(channel);
    if (!last || channelType(channel) === "inbox") continue;
    const newest = ledger.line(`${person.tenant}/${channel}`)?.facts.findLast((fact) => sees(person.user, fact));
    const offset = last.kind === "event" ? last.offset : last.position.offset;
    if (newest && offset < newest.offset)
      return `${name} was given ${offset} of ${channel}, the newest is ${newest.offset}`;
  }
  return undefined;
}
