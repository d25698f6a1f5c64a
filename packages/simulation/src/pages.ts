import type { Visitor } from "./visitor.ts";
import { split } from "./visitor.ts";
import type { World } from "./world.ts";

/** A node whose bus lost the word of an erasure, and whose first look at the heads failed, has learned of it by then, in milliseconds. */
const LEARNED_MS = 6_000;

/** A visitor asks for a page of history. One of the newest events goes into the history: it shows what they wrote before. */
export async function readPage(
  { clock, history, tally, ledger }: World,
  visitor: Visitor,
  channel: string,
  page: { readonly before?: number; readonly limit: number },
): Promise<void> {
  const { instance, client, person } = visitor;
  const key = `${person.tenant}/${channel}`;
  const invokedAt = clock.now;
  const [type, id] = split(channel);
  try {
    const { events, epoch, next } = await client.channel(type, id).history(page);
    tally.count("path", "page");
    const line = ledger.line(key);
    // Of a life of the channel that has ended meanwhile it is not known any more what was kept.
    if (page.before !== undefined || line?.epoch !== epoch) return;
    history.reads.push({
      by: instance,
      channel: key,
      invokedAt,
      answeredAt: clock.now,
      epoch,
      from: Math.max(next ?? 1, line.first),
      shown: events.map((event) => event.offset),
    });
  } catch {
    // Refused, or given up after a while: nothing was shown.
    tally.count("path", "page-refused");
  }
}

/** The newest page, when all is well: it holds nothing that was erased, but for what a node may not have learned yet. */
export async function readLastPage(world: World, visitor: Visitor, channel: string, limit: number): Promise<void> {
  const { clock, history, ledger } = world;
  const key = `${visitor.person.tenant}/${channel}`;
  const [type, id] = split(channel);
  const page = await visitor.client
    .channel(type, id)
    .history({ limit })
    .catch(() => ({ events: [] }));
  for (const { offset, data } of page.events) {
    const fact = ledger.line(key)?.facts[offset - 1];
    if (data !== null && fact?.redactedAt !== undefined && clock.now > fact.redactedAt + LEARNED_MS)
      history.violate("redact", clock.now, `${visitor.name} was shown event ${offset} of ${key}, which was erased`);
  }
  await readPage(world, visitor, channel, { limit });
}
