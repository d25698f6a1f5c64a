import * as v from "valibot";
import { describe, expect, it } from "vitest";
import type { Context } from "../decision.ts";
import { reject, UNPREDICTABLE } from "../decision.ts";
import { defineModel } from "../model.ts";
import { Table } from "../table.ts";
import { Rehearsal } from "./rehearsal.ts";
import { RuleBroken } from "./rule.ts";

interface State {
  readonly sum: number;
  readonly rings: number;
  readonly due?: number | undefined;
  readonly by: Table<{ readonly times: number }>;
}

/** A model that keeps the rules, but for what `faults` put in its place. */
function model(
  faults: {
    data?: (by: number, context: Context, state: State) => unknown;
    added?: (state: State, data: { by: number }) => State;
    fence?: () => number;
    later?: number;
    visible?: boolean;
  } = {},
) {
  const added = (state: State, data: { by: number }): State => ({ ...state, sum: state.sum + data.by });
  return defineModel({
    name: "sum",
    initial: (): State => ({ sum: 0, rings: 0, by: Table.empty() }),
    events: {
      added: faults.added ?? added,
      counted: (state, { user }: { user: string }) => ({
        ...state,
        by: state.by.update(user, (entry) => ({ times: (entry?.times ?? 0) + 1 })),
      }),
      wound: (state, { due }: { due: number }) => ({ ...state, due }),
      rang: (state, { due }: { due?: number }) => ({ ...state, due, rings: state.rings + 1 }),
    },
    commands: {
      add: {
        input: v.object({ by: v.number() }),
        decide: (state, { by }, context) => {
          if (state.sum + by > 10) return reject("full", { room: 10 - state.sum });
          const data = faults.data ? (faults.data(by, context, state) as { by: number }) : { by };
          return [
            { type: "added", data },
            { type: "counted", data: { user: context.user ?? "" } },
          ];
        },
        inverse: (_, { by }) => ({ command: "add", input: { by: -by } }),
      },
      wind: {
        input: v.object({ ms: v.number() }),
        decide: (_, { ms }, { time }) => [{ type: "wound", data: { due: time + ms } }],
      },
      hide: {
        input: v.object({ word: v.string() }),
        decide: (_, { word }, { sealing }) => {
          if (!sealing) return UNPREDICTABLE;
          sealing.create("words");
          const sealed = sealing.seal("words", word, 32);
          sealing.destroy("words");
          return sealed.includes(word) ? reject("shown") : [];
        },
      },
      reset: { right: "admin", input: v.object({}), decide: (state) => [{ type: "added", data: { by: -state.sum } }] },
    },
    deadline: (state) => state.due,
    onDeadline: (state) => [
      { type: "rang", data: faults.later === undefined ? {} : { due: (state.due ?? 0) + faults.later } },
    ],
    ...(faults.fence && {
      fence: (event: { type: string }) =>
        event.type === "added" ? { name: "sum", token: faults.fence?.() ?? 0 } : undefined,
    }),
    ...(faults.visible !== undefined && { visible: () => faults.visible === true, view: (state: State) => state }),
  });
}

describe("a rehearsal", () => {
  it("shows what a client predicts, and lets it have what the server decided", () => {
    const stage = new Rehearsal(model());
    const [ann, bea] = [stage.join("ann"), stage.join("bea")];
    ann.send("add", { by: 7 });
    bea.send("add", { by: 5 });
    expect([ann.state.sum, bea.state.sum, stage.state.sum]).toEqual([7, 5, 0]);
    ann.serve();
    expect(bea.serve()).toEqual({ status: "rejected", reason: { code: "full", room: 3 } });
    bea.deliver();
    expect([bea.state.sum, bea.pending, ann.pending]).toEqual([7, 0, 1]);
    stage.check();
    expect(ann.outcomes).toMatchObject([{ status: "accepted", inverse: { command: "add", input: { by: -7 } } }]);
    expect([ann.state.by.get("ann"), stage.join("cai").state.sum]).toEqual([{ times: 1 }, 7]);
  });

  it("brings events that were stored together together, late", () => {
    const stage = new Rehearsal(model());
    const ann = stage.join("ann");
    for (const by of [1, 2, 3]) stage.command("bea", "add", { by });
    ann.deliver(2);
    expect([ann.view.sum, ann.view.by.get("bea")]).toEqual([3, { times: 2 }]);
    ann.reload();
    expect(ann.view.sum).toBe(6);
  });

  it("fires deadlines when time passes, and late where it is told to", () => {
    const stage = new Rehearsal(model({ later: 1_000 }));
    stage.command(undefined, "wind", { ms: 1_000 });
    stage.pass(2_500);
    expect(stage.state.rings).toBe(2);
    stage.advance(10_000);
    expect(stage.state.rings).toBe(2);
    stage.fire();
    expect(stage.state.rings).toBe(12);
    stage.check();
  });

  it("answers what the server answers before it decides", () => {
    const stage = new Rehearsal(model(), { admins: ["ann"] });
    // @ts-expect-error not what the command takes
    expect(stage.command("bea", "add", { by: "1" })).toMatchObject({ status: "invalid" });
    expect(stage.command("bea", "reset", {})).toEqual({ status: "forbidden" });
    expect(stage.command("ann", "reset", {})).toMatchObject({ status: "accepted" });
  });

  it("seals what only its key opens", () => {
    const stage = new Rehearsal(model());
    const ann = stage.join("ann");
    ann.send("hide", { word: "secret" });
    expect(ann.serve()).toMatchObject({ status: "accepted", events: [] });
    const { sealing, commit } = stage.sealed.decision("one");
    sealing.create("key");
    const sealed = sealing.seal("key", { vote: 1 }, 32);
    expect(sealing.open("key", sealed)).toEqual({ vote: 1 });
    expect(() => sealing.seal("key", "x".repeat(40), 32)).toThrow(RangeError);
    commit();
    const two = stage.sealed.decision("two");
    expect(two.sealing.seal("key", { vote: 1 }, 32)).not.toBe(sealed);
    two.sealing.destroy("key");
    two.sealing.create("key");
    expect(two.sealing.open("key", sealed)).toBeUndefined();
  });
});

describe("a rehearsal finds a model that", () => {
  const run = (faults: Parameters<typeof model>[0]) => {
    const stage = new Rehearsal(model(faults), { viewers: ["bea"] });
    stage.command("ann", "add", { by: 1 });
    stage.command("ann", "add", { by: 2 });
    stage.command("ann", "wind", { ms: 10 });
    stage.pass(100);
    stage.check();
  };
  const broken = (rule: RegExp, faults: Parameters<typeof model>[0]) => {
    const error = thrownBy(() => run(faults));
    expect(error).toBeInstanceOf(RuleBroken);
    expect(error).toHaveProperty("message", expect.stringMatching(rule));
  };

  it("makes events that are no JSON", () => {
    broken(/no JSON: data\.by: undefined/, { data: () => ({ by: undefined }) });
    broken(/no JSON: data\.at: not a plain object/, { data: (by) => ({ by, at: new Date(0) }) });
  });

  it("decides by chance", () => {
    let calls = 0;
    broken(/decided in two ways/, { data: () => ({ by: calls++ }) });
  });

  it("hides an event that changes the view", () => {
    broken(/changes the view of/, { visible: false });
  });

  it("lets a token stand", () => {
    broken(/token of "sum" is 4 after 4/, { fence: () => 4 });
  });

  it("has a deadline that stays", () => {
    broken(/the deadline \d+ passed, and the next is/, { later: 0 });
  });

  it("keeps something beside its state", () => {
    let kept = 0;
    broken(/the log does not replay/, { added: (state, { by }) => ({ ...state, sum: state.sum + by + kept++ }) });
  });

  it("changes the state that it is given", () => {
    const faults = {
      added: (state: State, { by }: { by: number }) => {
        (state as { sum: number }).sum += by;
        return state;
      },
    };
    expect(() => run(faults)).toThrow(/failed at the event "added"/);
  });
});

function thrownBy(act: () => void): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}
