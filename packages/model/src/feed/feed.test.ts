import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inOrder } from "../sequence.ts";
import { play } from "../testing/play.ts";
import { Rehearsal } from "../testing/rehearsal.ts";
import type { Sent } from "../testing/steps.fixture.ts";
import { plays } from "../testing/steps.fixture.ts";
import type { FeedState } from "./feed.ts";
import { feed, grouped, unseen } from "./feed.ts";

type Feed = ReturnType<typeof feed>;

const object = { type: "task", id: "7" };
const HOUR = 3_600_000;

function post(stage: Rehearsal<Feed>, user: string | undefined, verb = "completed", more: object = {}) {
  const outcome = stage.command(user, "post", { verb, object, ...more });
  if (outcome.status !== "accepted") throw new Error(JSON.stringify(outcome));
  return (outcome.events[0] as unknown as { data: { id: string } }).data.id;
}

describe("a feed", () => {
  it("says who did what; what others did only admins and the application say", () => {
    const stage = new Rehearsal(feed(), { admins: ["admin"] });
    expect(stage.command("ann", "post", { verb: "left", object, actor: "bea" })).toMatchObject({
      reason: { code: "not-yours" },
    });
    post(stage, "ann");
    post(stage, "ann", "completed", { actor: "ann" });
    post(stage, "admin", "completed", { actor: "bea" });
    post(stage, undefined, "completed", { actor: "cai" });
    post(stage, undefined);
    expect(inOrder(stage.state).map(({ actor }) => actor)).toEqual(["ann", "ann", "bea", "cai", undefined]);
    expect(inOrder(stage.state)[0]).toMatchObject({ n: 1, at: stage.time, importance: "normal", object });
  });

  it("knows what a user has not seen, without what they did themselves", () => {
    const stage = new Rehearsal(feed({ readers: 1 }));
    const [first = "", second = ""] = ["ann", "bea", "ann"].map((user) => post(stage, user));
    expect([unseen(stage.state, "ann").length, unseen(stage.state, "bea").length]).toEqual([1, 2]);
    stage.command("bea", "see", { id: second });
    expect(stage.command("bea", "see", { id: first })).toMatchObject({ status: "accepted", events: [] });
    expect(unseen(stage.state, "bea").map(({ n }) => n)).toEqual([3]);
    expect(stage.command("ann", "see", { id: second })).toMatchObject({
      reason: { code: "too-many-readers", most: 1 },
    });
    expect(stage.command(undefined, "see", { id: second })).toMatchObject({ reason: { code: "nobody" } });
    expect(stage.command("ann", "see", { id: "none" })).toMatchObject({ reason: { code: "unknown-activity" } });
  });

  it("puts repeats together that are within an hour of each other", () => {
    const stage = new Rehearsal(feed());
    for (const [user, verb, wait] of [
      ["ann", "edited", 0],
      ["bea", "edited", 2 * HOUR],
      ["ann", "edited", HOUR],
      ["cai", "commented", 1],
      ["bea", "edited", HOUR - 2],
    ] as const) {
      stage.advance(wait);
      post(stage, user, verb);
    }
    expect(grouped(inOrder(stage.state))).toMatchObject([
      { newest: { n: 5 }, count: 3, actors: ["bea", "ann"] },
      { newest: { n: 4 }, count: 1, actors: ["cai"] },
      { newest: { n: 1 }, count: 1, actors: ["ann"] },
    ]);
  });

  it("tells what was touched", () => {
    const stage = new Rehearsal(feed());
    const id = post(stage, "ann");
    stage.command("ann", "see", { id });
    expect(stage.events.map(({ type, data }) => feed().touches({ type, data } as never))).toEqual([
      [`items/${id}`],
      [],
    ]);
  });

  it("refuses bounds that cannot be", () => {
    expect(() => feed({ keep: 0 })).toThrow(RangeError);
    expect(() => feed({ readers: -1 })).toThrow(RangeError);
  });

  it("keeps the rules, whatever is sent", () => {
    const commands: fc.Arbitrary<Sent<Feed>> = fc.oneof(
      fc.record({
        command: fc.constant("post" as const),
        input: fc.record(
          {
            verb: fc.constantFrom("edited", "left"),
            object: fc.constantFrom(object, { type: "task", id: "8", label: "Eight" }),
            actor: fc.constantFrom("ann", "bea"),
          },
          { requiredKeys: ["verb", "object"] },
        ),
      }),
      fc.nat().map(
        (pick): Sent<Feed> => ({
          command: "see",
          input: ({ items }: FeedState) => ({ id: [...items.keys()][pick % Math.max(1, items.size)] ?? "none" }),
        }),
      ),
    );
    fc.assert(
      fc.property(plays(commands, { longest: HOUR }), (steps) => {
        const stage = new Rehearsal(feed({ keep: 5, readers: 2 }), { admins: ["cai"] });
        for (const user of ["ann", "bea", "cai"]) stage.join(user);
        play(stage, steps);
        const activities = inOrder(stage.state);
        const groups = grouped(activities);
        expect(activities.length).toBeLessThanOrEqual(5);
        expect(stage.state.seen.size).toBeLessThanOrEqual(2);
        expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(activities.length);
        for (const { newest, actors } of groups) {
          const same = activities.filter(({ verb, object: { id } }) => verb === newest.verb && id === newest.object.id);
          const by = same.map(({ actor }) => actor);
          for (const actor of actors) expect(by).toContain(actor);
          expect(new Set(actors).size).toBe(actors.length);
        }
        for (const { type, data, info } of stage.events) {
          const { actor = info.author } = data as { actor?: string };
          if (type === "posted" && info.author !== "cai") expect(actor).toBe(info.author);
        }
      }),
    );
  });
});
