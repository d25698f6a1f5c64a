import { percentile } from "../measured/percentile.ts";
import type { Joined } from "./screen.ts";
import { Screen } from "./screen.ts";
import type { Servers } from "./servers.ts";
import { cardOf, idOf } from "./work.ts";

/** One client joins the channel. */
export async function measureJoin(servers: Servers, records: number): Promise<Joined & { readonly bytes: number }> {
  const screen = new Screen(servers.ports.tandem);
  try {
    await screen.connected();
    const before = await servers.sent();
    const joined = await screen.join();
    const after = await servers.sent();
    screen.check(records, new Map());
    return { ...joined, bytes: after.tandem - before.tandem };
  } finally {
    await screen.leave();
  }
}

/** The same records are fetched as one document. */
export async function measureDocument(servers: Servers, records: number) {
  const before = await servers.sent();
  const start = performance.now();
  const response = await fetch(`http://127.0.0.1:${servers.ports.json}/`);
  const firstByte = performance.now();
  const cards = (await response.json()) as { id: string }[];
  const end = performance.now();
  const after = await servers.sent();
  for (let index = 0; index < records; index++) {
    const expected = JSON.stringify({ id: idOf(index), ...cardOf(index) });
    if (JSON.stringify(cards[index]) !== expected) throw new Error(`record ${index} of the document is another one`);
  }
  return { joinMs: end - start, fromFirstByteMs: end - firstByte, bytes: after.json - before.json };
}

/** Changes are made one after the other, each seen by every screen. @returns the 95th of 100 delays in milliseconds, from the call to a screen's callback */
export async function measureChanges(
  servers: Servers,
  work: { readonly records: number; readonly screens: number; readonly changes: number; readonly pauseMs: number },
): Promise<number> {
  const [writer, ...screens] = Array.from({ length: work.screens + 1 }, () => new Screen(servers.ports.tandem));
  if (!writer) throw new Error("nobody changes anything");
  const all = [writer, ...screens];
  const delays: number[] = [];
  const changed = new Map<number, number>();
  try {
    for (const screen of all) {
      await screen.connected();
      await screen.join();
    }
    for (let change = 0; change < work.changes; change++) {
      const index = (change * 7_919) % work.records;
      const votes = 1_000 + change;
      changed.set(index, votes);
      const seen = screens.map((screen) => shown(screen, index, votes));
      const start = performance.now();
      await Promise.all([writer.change(index, votes), ...seen.map(async (at) => delays.push((await at) - start))]);
      await new Promise((resolve) => setTimeout(resolve, work.pauseMs));
    }
    for (const screen of all) screen.check(work.records, changed);
    // As it was, for the next round.
    await Promise.all([...changed.keys()].map((index) => writer.change(index, cardOf(index).votes)));
    return percentile(delays, 0.95);
  } finally {
    for (const screen of all) await screen.leave();
  }
}

/** When a screen is told a record's new votes. */
function shown(screen: Screen, index: number, votes: number): Promise<number> {
  return new Promise((resolve) => {
    const stop = screen.watch(() => {
      if (screen.votes(index) !== votes) return;
      stop();
      resolve(performance.now());
    });
  });
}
