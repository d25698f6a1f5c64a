import { cutPiece } from "@tandem/model";
import { TandemError } from "@tandem/protocol";
import { expect, it } from "vitest";
import type { ModelLog, StoredSnapshot } from "../log/model-log.ts";
import { meter } from "./meter.fixture.ts";
import { loadSnapshot, Snapshots } from "./snapshots.ts";

const state = meter.events.noted({ ...meter.initial(), value: 5 }, { id: "a", text: "first" }, {} as never);
const pieces = [cutPiece(state, undefined, 1_024), cutPiece(state, "notes", 1_024)].map(({ json }) => json);
const head: StoredSnapshot = {
  channel: "acme/lab:1",
  model: "meter",
  version: 2,
  position: { epoch: "e", offset: 7, tag: "t" },
  tag: "m",
  pieces: pieces.length,
};

/** A log in which the snapshot is there for so many reads. */
const logFor = (reads: number): Pick<ModelLog, "snapshotPiece"> => {
  let left = reads;
  return { snapshotPiece: async (_, index) => (left-- > 0 ? pieces[index] : undefined) };
};

it("M5: a snapshot is read whole", async () => {
  const { position, tag } = head;
  expect(await loadSnapshot(logFor(2), meter as never, head)).toEqual({ state, position, tag });
});

it.each([0, 1])("M5: one that is gone after %i of its two pieces is no state", async (reads) => {
  expect(await loadSnapshot(logFor(reads), meter as never, head)).toBeUndefined();
});

it("of a model that stopped since its last command none is stored: nothing is thrown at who decides", () => {
  const saved: unknown[] = [];
  const log = { saveSnapshot: async (of: unknown) => void saved.push(of) };
  const snapshots = new Snapshots(log as never, { warn: () => undefined } as never);
  const instance = {
    since: 10_000,
    stopped: "an event of a newer version",
    get at(): never {
      throw new TandemError("model-stopped", "an event of a newer version");
    },
  };
  snapshots.consider(instance as never);
  expect(saved).toEqual([]);
});
