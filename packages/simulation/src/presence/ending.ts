import { isAway } from "../ending.ts";
import type { Visitor } from "../visitor.ts";
import type { World } from "../world.ts";
import type { Company } from "./company.ts";
import { isCrowd, misshown } from "./crowd.ts";
import type { Seen } from "./guest.ts";
import { SIGNALS } from "./hall.ts";

/** Between two looks, in milliseconds. */
const LOOK_MS = 250;

/** Once all is well everybody sees who is there within this, in milliseconds, after the last lost connection was noticed and given up. */
const SETTLED_MS = 16_000;

/** A lost connection is noticed at the latest by this, in milliseconds, where bytes were on their way (D6). */
const NO_PROGRESS_MS = 32_000;

/** Everybody has the newest signals within this, in milliseconds: what was over a rate goes out again after a second or so. */
const HEARD_MS = 15_000;

/** Likewise where bandwidth is bounded: what else is due goes before. */
const HEARD_PACED_MS = 60_000;

/** Times that everybody signals. */
const ATTEMPTS = 3;

/** Everybody is connected at the same time by then, in milliseconds. */
const TOGETHER_MS = 120_000;

/** Faults have stopped: everybody sees the same, and that is who is there; and has everybody's newest signals. */
export async function endCompany(
  world: World,
  company: Company,
  visitors: readonly Visitor[],
  calm: number,
): Promise<void> {
  const { clock, history, limits } = world;
  const noticed = Math.max(limits.pingMs + limits.pongMs, NO_PROGRESS_MS) + SETTLED_MS;
  let since = calm;
  const began = clock.now;
  for (;;) {
    const problem = unlike(world, company, visitors);
    if (problem === undefined) break;
    since = Math.max(since, ...visitors.map((visitor) => (isAway(world, visitor) ? clock.now : visitor.awayAt)));
    if (clock.now > since + noticed)
      return history.violate("G6", clock.now, `${problem}, ${noticed} ms after all was well`);
    if (clock.now > began + TOGETHER_MS) return;
    await clock.runUntil(clock.now + LOOK_MS);
  }
  await lastSignals(world, company, visitors);
}

/** Who should be seen in a hall: those who are connected and want to be there. */
function expected(world: World, company: Company, visitors: readonly Visitor[], tenant: string, hall: string): Seen[] {
  return visitors.flatMap((visitor) => {
    const due = visitor.person.tenant === tenant ? company.guest(visitor).due(hall) : undefined;
    const device = world.wire.register.roll.deviceOf(visitor.process);
    return due && device !== undefined ? [{ device, user: visitor.person.user, ...due }] : [];
  });
}

/** @returns what one of the visitors sees otherwise than it is */
function unlike(world: World, company: Company, visitors: readonly Visitor[]): string | undefined {
  for (const visitor of visitors) {
    for (const hall of company.halls) {
      const shown = company.guest(visitor).shown(hall);
      if (!shown) continue;
      const there = expected(world, company, visitors, visitor.person.tenant, hall);
      const due = isCrowd(hall) ? there.filter(({ device }) => shown.some((seen) => seen.device === device)) : there;
      if (listed(shown) !== listed(due))
        return `${visitor.name} sees ${listed(shown)} in ${hall}, where there are ${listed(due)}`;
      const users = new Set(there.map(({ user }) => user)).size;
      const counted = company.guest(visitor).counted(hall);
      if (counted !== users) return `${visitor.name} is told of ${counted} users in ${hall}, where there are ${users}`;
      if (!isCrowd(hall)) continue;
      const own = world.wire.register.roll.deviceOf(visitor.process);
      const problem = misshown(sayings(shown), own, sayings(there));
      if (problem !== undefined) return `${visitor.name} ${problem} in ${hall}`;
      if (shown.length < there.length) world.tally.count("path", "presence.crowded");
    }
  }
  return undefined;
}

function sayings(seen: readonly Seen[]): Map<string, number | undefined> {
  return new Map(seen.map(({ device, n }) => [device, n]));
}

function listed(seen: readonly Seen[]): string {
  const words = seen.map(({ device, user, n, status }) => `${user} (${device}: ${n}, ${status})`);
  return words.length === 0 ? "nobody" : words.sort().join(", ");
}

/** What somebody signalled last. */
interface Sent {
  readonly tenant: string;
  readonly hall: string;
  readonly key: string;
  readonly n: number;
  readonly device: string;
}

/** Everybody who is there signals once more; and again, where somebody just then waited for a fresh token: nothing is kept meanwhile. */
async function lastSignals(world: World, company: Company, visitors: readonly Visitor[]): Promise<void> {
  const { clock, history, limits } = world;
  world.wire.register.isSettled = true;
  const patience = limits.bytesPerSecond === 0 ? HEARD_MS : HEARD_PACED_MS;
  let problem: string | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const began = clock.now;
    const sent = signalOnceMore(world, company, visitors);
    if (sent.length === 0) return;
    do {
      await clock.runUntil(clock.now + LOOK_MS);
      // Who has lost the connection meanwhile has lost what it signalled.
      if (visitors.some((visitor) => isAway(world, visitor) || visitor.awayAt >= began - LOOK_MS)) return;
      problem = unheard(world, company, visitors, sent);
      if (problem === undefined) return world.tally.count("path", "presence.last-signals");
    } while (clock.now < began + patience);
  }
  history.violate("R8", clock.now, `${problem}, ${patience} ms after it`);
}

function signalOnceMore(world: World, company: Company, visitors: readonly Visitor[]): Sent[] {
  const sent: Sent[] = [];
  for (const visitor of visitors) {
    const guest = company.guest(visitor);
    const device = world.wire.register.roll.deviceOf(visitor.process);
    for (const hall of company.halls) {
      for (const key of SIGNALS) {
        if (!guest.heard(hall).has(key) || device === undefined) continue;
        const n = company.number();
        guest.signal(hall, key, n);
        sent.push({ tenant: visitor.person.tenant, hall, key, n, device });
      }
    }
  }
  return sent;
}

/** @returns what one of the visitors has heard otherwise than it was signalled */
function unheard(
  world: World,
  company: Company,
  visitors: readonly Visitor[],
  sent: readonly Sent[],
): string | undefined {
  for (const visitor of visitors) {
    const guest = company.guest(visitor);
    const own = world.wire.register.roll.deviceOf(visitor.process);
    for (const hall of company.halls) {
      const heard = guest.heard(hall);
      const there = new Set(guest.shown(hall)?.map(({ device }) => device));
      for (const { tenant, key, n, device, hall: where } of sent) {
        const latest = heard.get(key);
        if (!latest || tenant !== visitor.person.tenant || where !== hall || device === own) continue;
        if (isCrowd(hall) && !there.has(device)) continue;
        if (latest.get(device) !== n)
          return `${visitor.name} in ${hall} has ${key} ${latest.get(device)} of ${device}, who signalled ${n} last`;
      }
      for (const [key, latest] of heard) {
        for (const device of latest.keys()) {
          if (guest.shown(hall) && !there.has(device))
            return `${visitor.name} in ${hall} has a ${key} of ${device}, who has left`;
        }
      }
    }
  }
  return undefined;
}
