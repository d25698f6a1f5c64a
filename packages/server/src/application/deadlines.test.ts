import { expect, it } from "vitest";
import { VirtualRuntime } from "../connection/runtime.fixture.ts";
import { Deadlines } from "./deadlines.ts";

it("M11: what one passing of a deadline could not do follows at once, not at the next regular look", async () => {
  const runtime = new VirtualRuntime();
  const at = runtime.now() - 1;
  let left = 4;
  const model = {
    due: async () => (left > 0 ? { at, errand: undefined } : undefined),
    elapse: async () => void left--,
  };
  const deadlines = new Deadlines({
    log: { deadlines: async () => (left > 0 ? [{ channel: "acme/lab:1", model: "votes", at }] : []) } as never,
    runtime,
    application: () => ({ model: () => model }) as never,
  });
  deadlines.start();
  await runtime.advance(1_000);
  deadlines.stop();
  expect(left).toBe(0);
});
