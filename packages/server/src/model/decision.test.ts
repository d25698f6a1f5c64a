import { defineModel } from "@tandem/model";
import { DEFAULT_LIMITS } from "@tandem/protocol";
import * as v from "valibot";
import { expect, it } from "vitest";
import { VirtualRuntime } from "../connection/runtime.fixture.ts";
import { aesVault } from "./aes-vault.ts";
import { decide } from "./decision.ts";

it("M8: what leaves a state of which the deadline cannot be told is refused for good, as what throws", () => {
  const broken = defineModel({
    name: "broken",
    initial: () => ({ due: 1 as number | null }),
    events: { cleared: () => ({ due: null }) },
    commands: { clear: { input: v.strictObject({}), decide: () => [{ type: "cleared", data: {} }] } },
    deadline: ({ due }) => {
      if (due === null) throw new TypeError("no due");
      return due;
    },
    onDeadline: () => [],
  });
  const { logger } = new VirtualRuntime();
  const decided = decide(
    { model: broken, name: "broken", channel: { key: "acme/lab:1" } } as never,
    { state: broken.initial(), tag: "", keys: new Map() },
    { kind: "command", command: "clear", input: {}, user: "ann", admin: false, nonce: "n" },
    { id: "p", user: "ann", seq: 1, digest: "d" },
    { time: 1, decision: "abcdefgh" },
    { limits: DEFAULT_LIMITS, vault: aesVault, logger },
  );
  expect(decided).toMatchObject({ kind: "refuse", refusal: { code: "rejected", reason: { code: "failed" } } });
});
