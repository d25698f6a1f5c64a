import type { Position, ServerMessage } from "@tandem/protocol";
import { jsonCodec } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { Selection } from "./batch.ts";
import { Batch } from "./batch.ts";
import { Coverage } from "./coverage.ts";
import type { Frame } from "./frame.ts";
import { joined } from "./message.ts";
import { Outbox } from "./outbox.ts";
import { SharedEvent } from "./shared-event.ts";
import type { Next } from "./subscriber.ts";
import type { Overflow } from "./subscription.ts";
import { Subscription } from "./subscription.ts";

const VIEWER = { tenant: "acme", user: "ada", name: undefined, guest: false };
const WINDOW = 131_072;

const at = (offset: number): Position => ({ epoch: "e", offset, tag: `t${offset}` });

function batch(from: number, to: number, data = "1"): Batch {
  const events = Array.from({ length: to - from }, (_, index) => {
    const offset = from + 1 + index;
    const stored = {
      offset,
      id: `i${offset}`,
      type: "message",
      version: 1,
      time: 1,
      author: undefined,
      trace: undefined,
      data,
    };
    return new SharedEvent(stored, `t${offset}`, offset);
  });
  return new Batch("room:1", "e", from, events, undefined);
}

/** A subscription over a source and an outbox that the test drives by hand. */
function stage(position: Position, overflow?: Overflow, selection?: Selection) {
  const told: ServerMessage[] = [];
  const gate = { open: true };
  const asked: { after: Position; answer: (next: Next) => void }[] = [];
  let flushes = 0;
  let stalls = 0;
  const outlet = {
    codec: jsonCodec,
    beforeFlush() {},
    elapsed: () => 0,
    send: ({ payload }: Frame) =>
      void told.push(...(jsonCodec.decode(new TextDecoder().decode(payload)) as ServerMessage[])),
    flushed() {},
    stalled: () => void stalls++,
  };
  const outbox: Outbox = new Outbox(outlet, { mark: () => flushes++, markLater() {}, join: joined }, gate, {
    windowBytes: WINDOW,
    bytesPerSecond: 0,
  });
  const coverage = new Coverage("room:1");
  const source = {
    next: (after: Position) => new Promise<Next>((answer) => asked.push({ after, answer })),
    covered: (from: number, to: Position) => coverage.message(from, to),
    unsubscribe() {},
  };
  const subscription = new Subscription({
    channel: "room:1",
    position,
    lane: "normal",
    source,
    outbox,
    viewer: VIEWER,
    overflow,
    selection,
  });
  const turn = async () => {
    await Promise.resolve();
    outbox.flush();
    await Promise.resolve();
    await Promise.resolve();
  };
  return {
    subscription,
    outbox,
    told,
    asked,
    gate,
    turn,
    /** How often only an acknowledgement could make room. */
    stalls: () => stalls,
    ranges: () => told.map((one) => (one.type === "events" ? [one.from, one.to] : one.type)),
  };
}

/** A stage whose subscription has read up to its position and is live. */
async function live(offset: number, overflow?: Overflow, selection?: Selection) {
  const made = stage(at(offset), overflow, selection);
  made.subscription.start();
  await made.turn();
  made.asked.shift()?.answer({ kind: "head" });
  await made.turn();
  expect(made.subscription.state).toBe("live");
  return made;
}

describe("a subscription", () => {
  it("G3: live, takes a batch that follows, and catches up where one does not", async () => {
    const { subscription, asked, turn, ranges } = await live(5);
    subscription.deliver(batch(5, 7));
    await turn();
    expect(ranges()).toEqual([[5, 7]]);
    subscription.deliver(batch(8, 9));
    expect(subscription.state).toBe("catching-up");
    await turn();
    expect(asked.map(({ after }) => after)).toEqual([at(7)]);
    asked.shift()?.answer({ kind: "batch", batch: batch(7, 9) });
    await turn();
    await turn();
    expect(ranges()).toEqual([
      [5, 7],
      [7, 9],
    ]);
  });

  it("G3: catching up, queues nothing of what comes live: it reads it where it stands", async () => {
    const { subscription, asked, turn, ranges } = stage(at(0));
    subscription.start();
    await turn();
    subscription.deliver(batch(3, 4));
    asked.shift()?.answer({ kind: "batch", batch: batch(0, 4) });
    await turn();
    await turn();
    expect(ranges()).toEqual([[0, 4]]);
  });

  it("G10: what is queued or being read when the gate closes is told when it opens", async () => {
    const { subscription, outbox, gate, asked, turn, ranges } = await live(5);
    subscription.deliver(batch(5, 6));
    gate.open = false;
    await turn();
    expect(ranges()).toEqual([]);
    gate.open = true;
    outbox.wake();
    await turn();
    expect(ranges()).toEqual([[5, 6]]);
    subscription.deliver(batch(7, 8));
    await turn();
    gate.open = false;
    asked.shift()?.answer({ kind: "batch", batch: batch(6, 8) });
    await turn();
    await turn();
    expect(ranges()).toEqual([[5, 6]]);
    gate.open = true;
    outbox.wake();
    await turn();
    expect(asked.map(({ after }) => after)).toEqual([at(6)]);
    asked.shift()?.answer({ kind: "batch", batch: batch(6, 8) });
    await turn();
    await turn();
    expect(ranges()).toEqual([
      [5, 6],
      [6, 8],
    ]);
    subscription.deliver(batch(8, 9));
    gate.open = false;
    outbox.finish();
    expect(ranges()).toHaveLength(2);
  });

  it("G3: what was read before a reset is not delivered after it", async () => {
    const { subscription, asked, turn, ranges } = stage(at(0));
    subscription.start();
    await turn();
    subscription.reset({ ...at(9), epoch: "f" }, "epoch");
    asked.shift()?.answer({ kind: "batch", batch: batch(0, 4) });
    await turn();
    await turn();
    expect(ranges()).toEqual(["reset"]);
    expect(asked.map(({ after }) => after)).toEqual([{ ...at(9), epoch: "f" }]);
  });

  it("G10: ended, takes nothing of what was under way", async () => {
    const { subscription, asked, turn, told } = stage(at(0));
    subscription.start();
    await turn();
    subscription.end();
    asked.shift()?.answer({ kind: "batch", batch: batch(0, 4) });
    subscription.deliver(batch(0, 4));
    subscription.reset(at(9), "epoch");
    await turn();
    expect(told).toEqual([]);
  });

  it("G10: behind a closed gate falls behind, and asks for nothing until it opens", async () => {
    const { subscription, asked, turn, gate, outbox } = await live(5);
    gate.open = false;
    subscription.deliver(batch(5, 6));
    await turn();
    expect(subscription.state).toBe("catching-up");
    expect(asked).toEqual([]);
    gate.open = true;
    outbox.wake();
    await turn();
    expect(asked.map(({ after }) => after)).toEqual([at(5)]);
  });
});

describe("a subscription of which only the latest counts", () => {
  const long = (from: number, to: number) => batch(from, to, JSON.stringify("x".repeat(10_000)));

  /** One that has fallen behind at offset 20 and has its credit back, and what it is asked for next. */
  async function behind(key: (offset: number) => number) {
    const made = await live(5, { kind: "latest", replay: 0, key: ({ stored }) => String(key(stored.offset)) });
    const { subscription, outbox, turn } = made;
    subscription.deliver(long(5, 20));
    await turn();
    subscription.deliver(long(20, 21));
    expect(subscription.state).toBe("catching-up");
    outbox.acknowledge(outbox.sent);
    made.told.length = 0;
    await turn();
    const answer = async (next: Next) => {
      made.asked.shift()?.answer(next);
      await turn();
      await turn();
    };
    return { ...made, answer };
  }

  it("D12, G11: keeps a bounded part of what it missed in hand, and sends that before it reads on", async () => {
    const { answer, ranges, asked } = await behind((offset) => offset);
    await answer({ kind: "batch", batch: long(20, 26) });
    expect([ranges(), asked.map(({ after }) => after.offset)]).toEqual([[], [26]]);
    await answer({ kind: "batch", batch: long(26, 27) });
    expect(ranges()).toEqual([
      [20, 22],
      [22, 24],
      [24, 26],
      [26, 27],
    ]);
  });

  it("D2, D12: tells nothing of a range while it has events of it in hand", async () => {
    const { answer, ranges, subscription, turn } = await behind(() => 1);
    await answer({ kind: "batch", batch: long(20, 26) });
    subscription.tell();
    await turn();
    expect(ranges()).toEqual([]);
    await answer({ kind: "head" });
    expect(ranges()).toEqual([[20, 26]]);
  });

  it("D2: tells what it has passed over without credit once there is some, and asks for it", async () => {
    let isWanted = true;
    const { subscription, outbox, turn, ranges, stalls, asked } = await live(5, undefined, () => isWanted);
    subscription.deliver(long(5, 20));
    await turn();
    isWanted = false;
    subscription.deliver(batch(20, 21));
    subscription.tell();
    await turn();
    expect([ranges(), stalls()]).toEqual([[[5, 20]], 1]);
    outbox.acknowledge(outbox.sent);
    await turn();
    asked.shift()?.answer({ kind: "head" });
    await turn();
    await turn();
    expect(ranges()).toEqual([
      [5, 20],
      [20, 21],
    ]);
    expect(subscription.state).toBe("live");
  });

  it("G3, D12: drops what it has in hand at a reset", async () => {
    const { answer, ranges, subscription } = await behind((offset) => offset);
    await answer({ kind: "batch", batch: long(20, 22) });
    subscription.reset({ ...at(3), epoch: "f" }, "epoch");
    await answer({ kind: "batch", batch: long(22, 23) });
    await answer({ kind: "head" });
    expect(ranges()).toEqual(["reset"]);
    expect(subscription.state).toBe("live");
  });

  it("A5: held, tells nothing, and no reset either; released, it reads on from where it stood", async () => {
    const { subscription, asked, turn, ranges } = await live(5);
    subscription.hold();
    subscription.reset({ epoch: "f", offset: 9, tag: "t9" }, "epoch");
    subscription.deliver(batch(5, 6));
    await turn();
    expect([ranges(), asked]).toEqual([[], []]);
    subscription.release();
    await turn();
    expect(asked.map(({ after }) => after)).toEqual([at(5)]);
    asked.shift()?.answer({ kind: "reset", reason: "epoch", position: { epoch: "f", offset: 9, tag: "t9" } });
    await turn();
    await turn();
    expect(ranges()).toEqual(["reset"]);
  });
});

describe("an outbox", () => {
  it("G13: counts what is on the way until it is acknowledged, and takes no count that cannot be", async () => {
    const { subscription, turn, outbox } = await live(5);
    expect(outbox.acknowledge(1)).toBeUndefined();
    subscription.deliver(batch(5, 6));
    await turn();
    subscription.deliver(batch(6, 7));
    await turn();
    expect([outbox.sent, outbox.unacknowledged > 0]).toEqual([2, true]);
    expect(outbox.acknowledge(2)).toBe(2);
    expect(outbox.unacknowledged).toBe(0);
    expect(outbox.acknowledge(2)).toBe(0);
    expect(outbox.acknowledge(1)).toBeUndefined();
    expect(outbox.acknowledge(3)).toBeUndefined();
  });

  it("G10: purged, sends nothing of what was queued", async () => {
    const { subscription, turn, outbox, told } = await live(5);
    subscription.deliver(batch(5, 6));
    outbox.purge();
    await turn();
    expect(told).toEqual([]);
  });
});
