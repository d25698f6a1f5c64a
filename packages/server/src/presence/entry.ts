import type { Activity, Member } from "@tandem/protocol";
import type { Phase, Place, PresenceWord } from "../bus/presence.ts";

/** A connection that was lost is shown after this long, in milliseconds: who comes back in time is not seen to flicker. */
const SHOW_LOSS_MS = 2_000;

/** Milliseconds after the loss of its connection at which a device has left. */
const LEAVE_MS = 10_000;

/** Who has left is remembered for this long, in milliseconds, so that a late word does not bring a ghost. */
export const REMEMBER_MS = 60_000;

const PHASES: readonly Phase[] = ["here", "lost", "left"];

/** A place, and the node that holds it. */
export interface HeldPlace extends Place {
  readonly node: string;
}

/** One device in a channel, as this node knows it. What its client says and where it is connected are known apart: each by its newest word. */
export interface Entry {
  readonly device: string;
  readonly user: string;
  seq: number;
  /** JSON text. */
  state: string | undefined;
  activity: Activity;
  /** The node whose word on the state this is. */
  saidBy: string;
  place: HeldPlace;
  /** The number of the message that last confirmed the place. */
  confirmed: number;
  /** When its connection was lost, of `elapsed`. */
  lostAt: number | undefined;
  /** It counts as lost because its node has lapsed. */
  lapsed: boolean;
  /** How it is shown; `undefined`: not any more. */
  status: Member["status"] | undefined;
  /** When it was shown last, of `elapsed`. */
  goneAt: number | undefined;
  /** Where it is, by the application's word; for large rooms. */
  near: string | undefined;
  /** Its member as JSON text, until something changes. */
  json: string | undefined;
}

/** Is place `a` a newer word than `b`? */
export function isNewer(a: HeldPlace, b: HeldPlace): boolean {
  return order(a, b) > 0;
}

/** Is it the same word? */
export function isSame(a: HeldPlace, b: HeldPlace): boolean {
  return order(a, b) === 0;
}

/**
 * The highest connection of a device counts, on it what its client said last, then its process's newest lease. Only two clients with one secret
 * could stand at the same place on two nodes: the names decide, so that all nodes decide alike.
 */
function order(a: HeldPlace, b: HeldPlace): number {
  return (
    a.connection - b.connection ||
    a.turn - b.turn ||
    a.lease - b.lease ||
    PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase) ||
    (a.node < b.node ? -1 : a.node > b.node ? 1 : 0)
  );
}

/** How a device is to be shown at time `now`. */
export function statusOf(entry: Entry, now: number): Member["status"] | undefined {
  if (entry.place.phase === "left") return undefined;
  if (entry.lostAt === undefined) return entry.activity;
  const lostFor = now - entry.lostAt;
  if (lostFor >= LEAVE_MS) return undefined;
  return entry.lapsed || lostFor >= SHOW_LOSS_MS ? "reconnecting" : entry.activity;
}

/** What this node says of a device that it holds, or (`place` left out) of whose state it was told. */
export function wordOf(entry: Entry, held: boolean, now: number): PresenceWord {
  const { device, user, seq, state, activity } = entry;
  const said = { device, user, seq, ...(state === undefined ? {} : { state }), activity };
  if (!held) return said;
  const { connection, turn, lease, phase, since, name } = entry.place;
  const lostFor = phase === "lost" && entry.lostAt !== undefined ? now - entry.lostAt : undefined;
  const place: Place = {
    connection,
    turn,
    lease,
    phase,
    since,
    ...(lostFor === undefined ? {} : { lostFor }),
    ...(name === undefined ? {} : { name }),
  };
  return { ...said, place };
}

/** An entry as others are shown it. */
export function memberOf(entry: Entry): Member {
  const { device, user, state, status, place } = entry;
  return {
    device,
    user,
    ...(place.name === undefined ? {} : { name: place.name }),
    ...(state === undefined ? {} : { state: JSON.parse(state) }),
    status: status ?? "reconnecting",
    since: place.since,
  };
}

/** An entry as JSON text, made once between two changes. */
export function memberText(entry: Entry): string {
  if (entry.json !== undefined) return entry.json;
  const { device, user, state, status, place } = entry;
  const head = JSON.stringify({ device, user, name: place.name, status, since: place.since });
  entry.json = state === undefined ? head : `${head.slice(0, -1)},"state":${state}}`;
  return entry.json;
}
