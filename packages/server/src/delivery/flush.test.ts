import type { Lane, ServerMessage } from "@tandem/protocol";
import { jsonCodec } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import { VirtualRuntime } from "../connection/runtime.fixture.ts";
import { Flushing } from "./flush.ts";
import type { Frame } from "./frame.ts";
import type { Outgoing } from "./message.ts";
import { single } from "./message.ts";
import { Outbox } from "./outbox.ts";

const message = (text: string): Outgoing => single({ type: "error", code: "internal", message: text, retryable: true });

/** A flush turn whose flushes take as long as the test says, and outboxes on it. */
function stage(bytesPerSecond = 0) {
  const runtime = new VirtualRuntime();
  let writeMs = 0;
  let spent = 0;
  const slow = Object.assign(Object.create(runtime) as VirtualRuntime, { elapsed: () => runtime.elapsed() + spent });
  const turn = new Flushing(slow, { leastMs: 0, mostMs: 8 });
  const outbox = () => {
    const writes: { at: number; frames: Frame[]; delivered: boolean }[] = [];
    let frames: Frame[] = [];
    const outlet = {
      codec: jsonCodec,
      beforeFlush() {},
      elapsed: () => slow.elapsed(),
      send: (frame: Frame) => void frames.push(frame),
      flushed(delivered: boolean) {
        writes.push({ at: runtime.elapsed(), frames, delivered });
        frames = [];
        spent += writeMs;
      },
      stalled() {},
    };
    const made = new Outbox(outlet, turn, { open: true }, { windowBytes: 131_072, bytesPerSecond });
    return { outbox: made, writes };
  };
  return {
    outbox,
    /** Every write takes so long from now on. */
    slowDown: (ms: number) => {
      writeMs = ms;
    },
    advance: (ms: number) => runtime.advance(ms),
    settle: () => runtime.settle(),
  };
}

function textsOf(frames: readonly Frame[]): string[] {
  return frames.flatMap(({ payload }) =>
    (jsonCodec.decode(new TextDecoder().decode(payload)) as Extract<ServerMessage, { type: "error" }>[]).map(
      (told) => told.message,
    ),
  );
}

describe("a flush", () => {
  it("D13: happens once per connection and turn, with everything that is due", async () => {
    const { outbox, settle } = stage();
    const { outbox: one, writes } = outbox();
    for (const text of ["a", "b", "c"]) one.deliver("normal", message(text));
    expect(writes).toEqual([]);
    await settle();
    expect(writes.map(({ frames }) => textsOf(frames))).toEqual([["a", "b", "c"]]);
  });

  it("D14: makes one frame for all who are sent the same messages", async () => {
    const { outbox, settle } = stage();
    const many = [outbox(), outbox(), outbox()];
    const shared = [message("a"), message("b")];
    for (const { outbox: one } of many) for (const each of shared) one.deliver("normal", each);
    many[2]?.outbox.deliver("normal", message("c"));
    await settle();
    const frames = many.map(({ writes }) => writes[0]?.frames[0]);
    expect(frames[0]).toBe(frames[1]);
    expect(frames[2]).not.toBe(frames[0]);
    expect(textsOf([frames[2] as Frame])).toEqual(["a", "b", "c"]);
  });

  it("D13: tells answers from deliveries", async () => {
    const { outbox, settle } = stage();
    const { outbox: one, writes } = outbox();
    one.push("normal", message("answer"));
    await settle();
    one.push("normal", message("answer"));
    one.deliver("normal", message("event"));
    await settle();
    expect(writes.map(({ delivered }) => delivered)).toEqual([false, true]);
  });
});

describe("the pause after a flush", () => {
  it("D13: is none while flushes are short: what is quiet goes out at once", async () => {
    const { outbox, settle } = stage();
    const { outbox: one, writes } = outbox();
    for (let at = 0; at < 5; at++) {
      one.deliver("normal", message(`${at}`));
      await settle();
    }
    expect(writes).toHaveLength(5);
  });

  it("D13: grows with what flushing takes, up to its bound, and gathers what comes in it", async () => {
    const { outbox, settle, slowDown, advance } = stage();
    const { outbox: one, writes } = outbox();
    slowDown(2);
    one.deliver("normal", message("first"));
    await settle();
    for (const text of ["a", "b", "c"]) {
      one.deliver("normal", message(text));
      await advance(1);
    }
    expect(writes).toHaveLength(1);
    await advance(1);
    expect(writes.map(({ frames }) => textsOf(frames))).toEqual([["first"], ["a", "b", "c"]]);
    slowDown(5);
    one.deliver("bulk", message("d"));
    await advance(4);
    expect(writes).toHaveLength(3);
    one.deliver("bulk", message("e"));
    await advance(2);
    expect(writes).toHaveLength(3);
    await advance(1);
    expect(writes).toHaveLength(4);
  });

  it("D13: is none after a flush that takes as long by itself", async () => {
    const { outbox, settle, slowDown } = stage();
    const { outbox: one, writes } = outbox();
    slowDown(8);
    for (let at = 0; at < 3; at++) {
      one.deliver("normal", message(`${at}`));
      await settle();
    }
    expect(writes).toHaveLength(3);
  });

  it.each<[string, Lane, "push" | "deliver"]>([
    ["an answer", "normal", "push"],
    ["an event of the critical lane", "critical", "deliver"],
  ])("D13: is not kept for %s, and what waits goes with it", async (_, lane, how) => {
    const { outbox, settle, slowDown } = stage();
    const { outbox: one, writes } = outbox();
    slowDown(5);
    one.deliver("normal", message("first"));
    await settle();
    one.deliver("normal", message("waits"));
    await settle();
    expect(writes).toHaveLength(1);
    one[how](lane, message("urgent"));
    await settle();
    expect(textsOf(writes[1]?.frames ?? [])).toEqual(lane === "critical" ? ["urgent", "waits"] : ["waits", "urgent"]);
  });

  it("D13: is not ended by a short flush that comes in it", async () => {
    const { outbox, settle, slowDown, advance } = stage();
    const [{ outbox: one, writes }, { outbox: other }] = [outbox(), outbox()];
    slowDown(3);
    one.deliver("normal", message("first"));
    await settle();
    slowDown(0);
    other.push("normal", message("an answer"));
    await settle();
    one.deliver("normal", message("second"));
    await advance(4);
    expect(writes).toHaveLength(1);
    await advance(1);
    expect(writes).toHaveLength(2);
  });
});

describe("the pace of a connection", () => {
  it("G11, D15: lets no more through than its bytes a second, and wakes who waits for it", async () => {
    const { outbox, advance, settle } = stage(1_000);
    const { outbox: one, writes } = outbox();
    let left = 100;
    one.wait({
      lane: "normal",
      pull: () => {
        one.deliver("normal", message("x".repeat(40)));
        return --left > 0;
      },
    });
    await settle();
    const sent = () => writes.reduce((sum, { frames }) => sum + frames.reduce((n, f) => n + f.payload.length, 0), 0);
    expect(sent()).toBeLessThan(500);
    const before = sent();
    await advance(5_000);
    expect(sent() - before).toBeGreaterThan(4_500);
    expect(sent() - before).toBeLessThan(5_500);
    await advance(10_000);
    expect(left).toBe(0);
  });
});
