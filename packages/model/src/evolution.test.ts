import * as v from "valibot";
import { describe, expect, it } from "vitest";
import type { ModelEvent } from "./evolution.ts";
import { evolve, ModelStopped, upcastEvent, upcastInput, upcastState } from "./evolution.ts";
import { defineModel } from "./model.ts";
import { Table } from "./table.ts";

const info = { id: "e", author: "ann", time: 7 };

const sum = defineModel({
  name: "sum",
  version: 3,
  upcasters: {
    1: {
      commands: { add: (input) => ({ by: input }) },
      events: { added: (data) => ({ by: (data as { n: number }).n }) },
    },
    2: {
      commands: { add: (input) => ({ ...(input as { by: number }), of: "points" }) },
      events: {
        added: (data) => ({ ...(data as { by: number }), of: "points" }),
        failed: () => {
          throw new Error("an upcaster's");
        },
      },
    },
  },
  initial: () => ({ value: 0, of: "", last: 0 }),
  events: {
    added: (state, data: { by: number; of: string }, event) => ({
      value: state.value + data.by,
      of: data.of,
      last: event.time,
    }),
    failed: () => {
      throw new Error("the model's");
    },
  },
  commands: {
    add: { input: v.object({ by: v.number(), of: v.string() }), decide: (_, data) => [{ type: "added", data }] },
  },
});

const at = (event: Partial<ModelEvent>): ModelEvent => ({ type: "added", version: 3, data: {}, info, ...event });

describe("evolve", () => {
  it("takes events of any version up to its own", () => {
    const expected = { value: 2, of: "points", last: 7 };
    expect(evolve(sum, sum.initial(), at({ version: 1, data: { n: 2 } }))).toEqual(expected);
    expect(evolve(sum, sum.initial(), at({ version: 2, data: { by: 2 } }))).toEqual(expected);
    expect(evolve(sum, sum.initial(), at({ version: 3, data: { by: 2, of: "points" } }))).toEqual(expected);
  });

  it("stops at an event of a newer version, with the state as it was", () => {
    expect(() => evolve(sum, sum.initial(), at({ version: 4, data: { by: 2, of: "points" } }))).toThrow(ModelStopped);
    expect(() => evolve(sum, sum.initial(), at({ version: 4, data: null, offset: 7 }))).toThrow(
      /offset 7 is of version 4/,
    );
  });

  it("stops at an event that it does not know", () => {
    for (const type of ["removed", "constructor", "toString", "__proto__"]) {
      expect(() => evolve(sum, sum.initial(), at({ type }))).toThrow(ModelStopped);
    }
  });

  it("stops where its own function or an upcaster fails, and says why", () => {
    for (const [version, message] of [
      [3, "the model's"],
      [2, "an upcaster's"],
    ] as const) {
      const stopped = (() => {
        try {
          return evolve(sum, sum.initial(), at({ type: "failed", version }));
        } catch (error) {
          return error;
        }
      })();
      expect(stopped).toBeInstanceOf(ModelStopped);
      expect((stopped as ModelStopped).cause).toHaveProperty("message", message);
    }
  });

  it("passes over what was erased: the very same state", () => {
    const state = sum.initial();
    for (const version of [1, 2, 3]) expect(evolve(sum, state, at({ version, data: null }))).toBe(state);
  });
});

describe("upcasters", () => {
  it("bring inputs and data up, step by step, and leave alone what they do not name", () => {
    expect(upcastInput(sum, "add", 1, 5)).toEqual({ by: 5, of: "points" });
    expect(upcastInput(sum, "add", 2, { by: 5 })).toEqual({ by: 5, of: "points" });
    expect(upcastInput(sum, "add", 3, { by: 5, of: "x" })).toEqual({ by: 5, of: "x" });
    expect(upcastEvent(sum, { type: "added", version: 1, data: { n: 1 } })).toEqual({ by: 1, of: "points" });
    expect(upcastEvent(sum, { type: "cleared", version: 1, data: { n: 1 } })).toEqual({ n: 1 });
  });

  it("that fail at a stored state stop the model", () => {
    const upcasters = {
      1: {
        state: () => {
          throw new TypeError("no");
        },
      },
    };
    const broken = defineModel({ name: "n", version: 2, upcasters, initial: () => ({}), events: {}, commands: {} });
    expect(() => upcastState(broken, 1, {})).toThrow(ModelStopped);
  });

  it("are looked up by their own names alone", () => {
    for (const name of ["constructor", "toString", "hasOwnProperty"]) {
      expect(upcastInput(sum, name, 1, { by: 5 })).toEqual({ by: 5 });
      expect(upcastEvent(sum, { type: name, version: 1, data: { by: 5 } })).toEqual({ by: 5 });
    }
  });
});

describe("defineModel", () => {
  const definition = { name: "n", initial: () => ({}), events: {}, commands: {} };

  it("refuses what cannot be", () => {
    expect(() => defineModel({ ...definition, version: 0 })).toThrow(RangeError);
    expect(() => defineModel({ ...definition, version: 2, upcasters: { 2: {} } })).toThrow(RangeError);
    expect(() => defineModel({ ...definition, events: { "a.b": () => ({}) } })).toThrow(RangeError);
    expect(() => defineModel({ ...definition, deadline: () => 1 })).toThrow(RangeError);
    expect(() => defineModel({ ...definition, initial: () => ({ "a/b": Table.empty() }) })).toThrow(/table "a\/b"/);
  });

  it("is open where every viewer holds the same", () => {
    expect(defineModel(definition).open).toBe(true);
    expect(defineModel({ ...definition, view: (state) => state }).open).toBe(false);
  });
});
