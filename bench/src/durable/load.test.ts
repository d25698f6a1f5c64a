import { describe, expect, it } from "vitest";
import type { PublisherEvents } from "./load.ts";
import { publishLoad } from "./load.ts";

const LOAD = { inFlight: 4, warmUpMs: 10, measureMs: 50, drainMs: 50 };

/** A system that answers at once, but for what `answer` leaves out. */
function system(answer: (count: number, publishedBefore: number) => number) {
  let published = 0;
  return async (_index: number, events: PublisherEvents) => ({
    publish(count: number) {
      const answered = answer(count, published);
      published += count;
      setImmediate(() => answered > 0 && events.acknowledged(answered));
    },
    close: async () => {},
  });
}

describe("publishLoad", () => {
  it("counts what is acknowledged, and waits for the last of it", async () => {
    let sent = 0;
    const result = await publishLoad(
      system((count) => {
        sent += count;
        return count;
      }),
      3,
      LOAD,
    );
    expect(result.published).toBe(sent);
    expect(result.publishesPerSecond).toBeGreaterThan(0);
  });

  it("fails when an acknowledgement never comes", async () => {
    const losesOne = system((count, before) => (before === 0 ? count - 1 : count));
    await expect(publishLoad(losesOne, 3, LOAD)).rejects.toThrow("1 publishes were never acknowledged");
  });

  it("fails when a publish is refused", async () => {
    const refuses = async (_index: number, events: PublisherEvents) => ({
      publish: () => events.failed(new Error("refused")),
      close: async () => {},
    });
    await expect(publishLoad(refuses, 1, LOAD)).rejects.toThrow("refused");
  });
});
