import { samePosition } from "@tandem/protocol";
import { readLastPage } from "./pages.ts";
import type { RawReader } from "./raw-reader.ts";
import type { Visitor } from "./visitor.ts";
import type { Workload } from "./workload.ts";
import type { World } from "./world.ts";

/** Once faults have stopped and a client is connected, it is at the head within this, in milliseconds. */
const AT_HEAD_MS = 5_000;

/** …and what it has published is settled within this, beside what its rates ask for: it may wait before it asks again, 30 s at most. */
const SETTLED_MS = 40_000;

/** After faults have stopped, every client is connected again within this, in milliseconds; one that is has its rates' time beside it. */
const BACK_MS = 120_000;

/** What an event takes beside its payload, in bytes, at most. */
const HEADER_BYTES = 300;

/** Between two looks, in milliseconds. */
const LOOK_MS = 250;

/** The application and the raw client are answered within this, in milliseconds. */
const LAST_ANSWERS_MS = 40_000;

/** Pages are had within this, in milliseconds: each waits until the one before it has been processed. */
const LAST_PAGES_MS = 10_000;

/** A reader that speaks by hand has come back by then and read on, in milliseconds: it gives up a silent connection after a minute. */
const READER_MS = 100_000;

/** Events of the last page that every client asks for. */
const LAST_PAGE = 50;

/** Since when nothing is wrong any more for someone, and the milliseconds that what they had to write then takes. */
interface Relief {
  readonly since: number;
  readonly toWrite: number;
}

/** The end of a schedule: without a new publish or reconnect everyone gets to the head. What is not so is a violation. */
export async function ending(world: World, workload: Workload, calm: number): Promise<void> {
  const { clock } = world;
  const { visitors, rawReader } = workload;
  for (const visitor of visitors) {
    if (!visitor.online) visitor.wake(true);
    if (!visitor.wanted) visitor.client.connect();
  }
  const pending = new Set(visitors);
  const reliefs = new Map<Visitor, Relief>();
  while (pending.size > 0) {
    await clock.runUntil(clock.now + LOOK_MS);
    workload.reconcile();
    for (const visitor of pending) {
      // Someone whose token was taken back on its way is sent away, and comes back with another.
      if (visitor.client.status.get().kind === "blocked") visitor.client.connect();
      if (isAway(world, visitor)) visitor.awayAt = clock.now;
      const since = Math.max(calm, visitor.awayAt);
      const known = reliefs.get(visitor);
      const relief = known?.since === since ? known : { since, toWrite: toWrite(world, visitors, visitor) };
      reliefs.set(visitor, relief);
      if (visitor.connected) complain(world, visitor, relief);
      if (isThere(world, visitor)) pending.delete(visitor);
      else if (clock.now > calm + BACK_MS + (visitor.connected ? relief.toWrite : 0)) {
        pending.delete(visitor);
        world.history.violate(
          "G3",
          clock.now,
          `${visitor.name} was not connected again in ${BACK_MS} ms: ${JSON.stringify(visitor.client.status.get())}`,
        );
      }
    }
  }
  await lastAnswers(world);
  if (rawReader) await lastReading(world, rawReader);
  await lastPages(world, visitors);
  await compareStore(world);
}

/** Waits for what others than the visitors have asked for. */
async function lastAnswers(world: World): Promise<void> {
  const { clock, history } = world;
  world.over = true;
  const until = clock.now + LAST_ANSWERS_MS;
  while (clock.now < until && history.publishes.some((publish) => !publish.verdict))
    await clock.runUntil(clock.now + LOOK_MS);
}

async function lastReading(world: World, reader: RawReader): Promise<void> {
  const { clock, history } = world;
  // What was on the way when its token ended comes a second time.
  const patience = READER_MS + 2 * toCarry(world, reader.person.tenant, []);
  const until = clock.now + patience;
  while (clock.now < until && reader.behind()) await clock.runUntil(clock.now + LOOK_MS);
  const behind = reader.behind();
  if (behind) history.violate("G3", clock.now, `${behind}, ${Math.round(patience)} ms after all was well`);
}

/** Milliseconds that a backlog may take where bandwidth is bounded: all channels of a tenant, and those that are read once more. */
export function toCarry({ limits, ledger }: World, tenant: string, read: readonly string[]): number {
  if (limits.bytesPerSecond === 0) return 0;
  const own = ledger.channels().filter((channel) => channel.startsWith(`${tenant}/`));
  const facts = [...own, ...read.map((channel) => `${tenant}/${channel}`)].flatMap(
    (channel) => ledger.line(channel)?.facts ?? [],
  );
  const bytes = facts.reduce((sum, { data }) => sum + data.length + HEADER_BYTES, 0);
  return (bytes / limits.bytesPerSecond) * 1_000;
}

function toCarryTo(world: World, { person, readings }: Visitor): number {
  const channels = readings.map(({ channel }) => channel);
  return toCarry(world, person.tenant, channels);
}

/**
 * Milliseconds in which all that someone has to write now is let through: their own at the tightest of their rates, and before it all that
 * the same user has to write elsewhere, for it draws on the user's rate.
 */
export function toWrite({ limits }: World, visitors: Iterable<Visitor>, visitor: Visitor): number {
  const { publishesPerConnection, publishesPerUser, publishesPerAddress } = limits;
  const { tenant, user } = visitor.person;
  let elsewhere = 0;
  for (const { person, client } of visitors) {
    if (client === visitor.client || person.tenant !== tenant || person.user !== user) continue;
    elsewhere += client.pending.get();
  }
  const own = visitor.client.pending.get() / Math.min(publishesPerConnection, publishesPerUser, publishesPerAddress);
  return (own + elsewhere / publishesPerUser) * 1_000;
}

/**
 * A connection that is lost without either side knowing is no connection; nor is one that a proxy holds back, or one beside which something else
 * is lost on its way: a request that is not answered is given up after 35 s, as a silent WebSocket is, and what is asked waits behind it.
 */
export function isAway(world: World, visitor: Visitor): boolean {
  if (!visitor.connected || visitor.process.pausedUntil > world.clock.now || visitor.heldBack) return true;
  const { network } = world;
  return !network.of(visitor.process).some(({ whole }) => whole) || network.hasLost(visitor.process);
}

function isThere(world: World, visitor: Visitor): boolean {
  if (isAway(world, visitor) || visitor.unsettled > 0) return false;
  return visitor.readings.every(({ channel, subscription }) => {
    const head = world.ledger.head(`${visitor.person.tenant}/${channel}`);
    return subscription.position !== undefined && samePosition(subscription.position, head);
  });
}

function complain(world: World, visitor: Visitor, { since, toWrite }: Relief): void {
  const { history, clock, ledger, limits } = world;
  const settled = SETTLED_MS + toWrite;
  if (visitor.unsettled > 0 && clock.now > since + settled) {
    history.violate(
      "G14",
      clock.now,
      `${visitor.name} has ${visitor.unsettled} publishes that are not settled, ${Math.round(settled)} ms after all was well`,
    );
  }
  // Where bandwidth is bounded, the answers to what it writes go before events, and refusals in them: they may take all there is while it writes.
  const patience = AT_HEAD_MS + toCarryTo(world, visitor) + (limits.bytesPerSecond > 0 ? toWrite : 0);
  for (const { channel, subscription } of visitor.readings) {
    const key = `${visitor.person.tenant}/${channel}`;
    const head = ledger.head(key);
    const moved = Math.max(since, ledger.movedAt(key));
    if (clock.now <= moved + patience || (subscription.position && samePosition(subscription.position, head))) continue;
    const stands = JSON.stringify(subscription.position);
    const text = `${visitor.name} stands at ${stands} (${subscription.state.get()}) of ${channel}, the head is ${JSON.stringify(head)}`;
    history.violate("G3", clock.now, `${text}, ${Math.round(patience)} ms after all was well`);
  }
}

/** Everyone looks once more: what was erased is gone, and one's own writes are there. */
async function lastPages(world: World, visitors: readonly Visitor[]): Promise<void> {
  const { clock, history } = world;
  const began = clock.now;
  const waiting = new Map(visitors.filter((visitor) => !isAway(world, visitor)).map((visitor) => [visitor, 0]));
  const count = (visitor: Visitor, by: number) => waiting.set(visitor, (waiting.get(visitor) ?? 0) + by);
  for (const visitor of waiting.keys()) {
    for (const channel of new Set(visitor.readings.map((reading) => reading.channel))) {
      count(visitor, 1);
      void readLastPage(world, visitor, channel, LAST_PAGE).then(() => count(visitor, -1));
    }
  }
  // Whoever loses the connection meanwhile (its token may have been taken back) is not waited for.
  const late = () => [...waiting].filter(([visitor, pages]) => pages > 0 && visitor.awayAt < began);
  const patience = LAST_PAGES_MS + Math.max(0, ...[...waiting.keys()].map((visitor) => toCarryTo(world, visitor)));
  while (late().length > 0 && clock.now < began + patience) await clock.runUntil(clock.now + LOOK_MS);
  for (const [{ name }] of late())
    history.violate("G4", clock.now, `${name} was not given a page of history though all was well`);
}

/** The store itself holds what the ledger saw it commit. */
async function compareStore(world: World): Promise<void> {
  for (const channel of world.ledger.channels()) {
    const line = world.ledger.line(channel);
    if (!line) continue;
    const read = await world.storage.store.read(channel, line.first - 1, { events: 100_000, bytes: 100_000_000 });
    const events = read.kind === "run" ? read.events : [];
    const kept = line.facts.slice(line.first - 1);
    const same =
      events.length === kept.length &&
      kept.every((fact, at) => events[at]?.tag === fact.tag && events[at]?.id === fact.id);
    if (!same) world.history.violate("G1", world.clock.now, `the store does not hold of ${channel} what it committed`);
  }
}
