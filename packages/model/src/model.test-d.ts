import * as v from "valibot";
import { describe, expectTypeOf, it } from "vitest";
import { reasons, reject } from "./decision.ts";
import type { CommandInput, CommandName, ReasonOf, StateOf } from "./model.ts";
import { defineModel } from "./model.ts";

const counter = defineModel({
  name: "counter",
  initial: () => ({ value: 0 }),
  reasons: reasons<{ code: "full"; room: number } | { code: "nobody" }>(),
  events: {
    added: (state, data: { by: number }) => ({ value: state.value + data.by }),
    cleared: () => ({ value: 0 }),
  },
  commands: {
    add: {
      input: v.object({ by: v.number() }),
      decide: (state, { by }, { user }) => {
        if (state.value + by > 100) return reject("full", { room: 100 - state.value });
        if (!user) return reject("nobody");
        return [{ type: "added", data: { by } }];
      },
    },
    clear: { input: v.object({}), decide: () => [{ type: "cleared", data: {} }] },
  },
});

describe("a model's types", () => {
  it("come from its definition", () => {
    expectTypeOf<StateOf<typeof counter>>().toEqualTypeOf<{ value: number }>();
    expectTypeOf<CommandName<typeof counter>>().toEqualTypeOf<"add" | "clear">();
    expectTypeOf<CommandInput<typeof counter, "add">>().toEqualTypeOf<{ by: number }>();
    expectTypeOf<ReasonOf<typeof counter>["code"]>().toEqualTypeOf<"full" | "nobody">();
  });

  it("hold a rejection to the declared reasons", () => {
    defineModel({
      name: "wrong",
      initial: () => ({ n: 0 }),
      reasons: reasons<{ code: "full" }>(),
      events: { added: (state, data: { by: number }) => ({ n: state.n + data.by }) },
      commands: {
        // @ts-expect-error there is no such reason
        add: { input: v.object({}), decide: (state) => (state.n > 1 ? [] : reject("empty")) },
      },
    });
  });

  it("hold a decision to the declared events", () => {
    defineModel({
      name: "wrong",
      initial: () => ({ n: 0 }),
      events: { added: (state, data: { by: number }) => ({ n: state.n + data.by }) },
      commands: {
        // @ts-expect-error there is no such event
        add: { input: v.object({}), decide: () => [{ type: "subtracted", data: { by: 1 } }] },
      },
    });
  });
});
