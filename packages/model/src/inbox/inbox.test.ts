import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CommandInput } from "../model.ts";
import { inOrder } from "../sequence.ts";
import { play } from "../testing/play.ts";
import { Rehearsal } from "../testing/rehearsal.ts";
import type { Sent } from "../testing/steps.fixture.ts";
import { plays } from "../testing/steps.fixture.ts";
import type { InboxState, Notification } from "./inbox.ts";
import { inbox, unseenOf } from "./inbox.ts";

type Inbox = ReturnType<typeof inbox>;

/** At ten o'clock by UTC. */
const TEN = 1_700_042_400_000;

function stageOf(options = {}) {
  const stage = new Rehearsal(inbox(options), { admins: ["admin"], time: TEN });
  stage.join("ann");
  return stage;
}

function notify(stage: Rehearsal<Inbox>, more: Partial<CommandInput<Inbox, "notify">> = {}): string {
  const outcome = stage.command(undefined, "notify", { kind: "mention", title: "Bea mentioned you", ...more });
  if (outcome.status !== "accepted") throw new Error(JSON.stringify(outcome));
  return (outcome.events[0] as unknown as { data: { id: string } }).data.id;
}

const get = (stage: Rehearsal<Inbox>, id: string) => stage.state.items.get(id) as Notification;
const pushed = (stage: Rehearsal<Inbox>) =>
  stage.events.filter(({ type }) => type === "unanswered").map(({ data }) => (data as { id: string }).id);

describe("an inbox", () => {
  it("is filled by admins and the application only", () => {
    const stage = stageOf();
    const input = { kind: "mention", title: "t" };
    expect(stage.command("ann", "notify", input)).toEqual({ status: "forbidden" });
    expect(stage.command("admin", "notify", input)).toMatchObject({ status: "accepted" });
    expect(inOrder(stage.state)).toMatchObject([{ n: 1, state: "new", priority: "normal", devices: [], at: TEN }]);
  });

  it("has pushed what no device has shown in time, once", () => {
    const stage = stageOf({ pushAfter: 30 });
    const [first = "", second = "", third = ""] = [notify(stage), notify(stage), notify(stage)];
    stage.pass(29_000);
    stage.command("ann", "acknowledge", { id: first, device: "phone" });
    stage.command("ann", "mark", { ids: [second], to: "seen" });
    expect(pushed(stage)).toEqual([]);
    stage.pass(2_000);
    expect(pushed(stage)).toEqual([third]);
    stage.pass(100_000);
    expect(pushed(stage)).toEqual([third]);
    expect(get(stage, first).devices).toEqual(["phone"]);
    stage.check();
  });

  it("pushes all that is late at once, also where that is as much as it may keep", () => {
    const stage = stageOf({ keep: 1_000 });
    const ids = Array.from({ length: 1_000 }, () => notify(stage));
    stage.advance(100_000);
    stage.fire();
    expect(pushed(stage)).toEqual(ids);
  });

  it("is marked and unmarked; what is further on stays, and undo puts back what nobody has moved on", () => {
    const stage = stageOf();
    const [first = "", second = ""] = [notify(stage), notify(stage)];
    const read = stage.command("ann", "mark", { ids: [first, second, first, "none"], to: "read" });
    expect(read).toMatchObject({
      inverse: { command: "unmark", input: { ids: [first, second], from: "read", to: "new" } },
    });
    expect(unseenOf(stage.state)).toBe(0);
    stage.command("ann", "mark", { ids: [second], to: "archived" });
    expect(stage.command("ann", "mark", { ids: [first, second], to: "seen" })).toMatchObject({ events: [] });
    const { command = "", input } = (read.status === "accepted" && read.inverse) || {};
    stage.decide(stage.call("ann", command, input));
    expect([get(stage, first).state, get(stage, second).state]).toEqual(["new", "archived"]);
    stage.command("ann", "unmark", { ids: [first, second], to: "seen" });
    expect([get(stage, first).state, get(stage, second).state]).toEqual(["new", "seen"]);
    const mixed = stage.command("ann", "mark", { ids: [first, second], to: "archived" });
    expect(mixed).toMatchObject({ status: "accepted", inverse: undefined });
  });

  it("takes notifications as the user prefers, critical ones always", () => {
    const stage = stageOf();
    stage.command("ann", "prefer", { kinds: { digest: "off", like: "quiet" } });
    expect(stage.command(undefined, "notify", { kind: "digest", title: "t" })).toMatchObject({
      reason: { code: "not-wanted" },
    });
    expect(get(stage, notify(stage, { kind: "like" })).pushAt).toBeNull();
    for (const kind of ["mention", "constructor"]) {
      expect(get(stage, notify(stage, { kind })).pushAt).toBe(TEN + 30_000);
    }
    expect(get(stage, notify(stage, { kind: "digest", priority: "critical" })).pushAt).toBe(TEN + 30_000);
  });

  it.each([
    ["in them", { from: 540, to: 660 }, null],
    ["at their end", { from: 540, to: 600 }, TEN + 30_000],
    ["over midnight", { from: 1_320, to: 610 }, null],
    ["over midnight, after them", { from: 1_320, to: 600 }, TEN + 30_000],
    ["by the user's clock", { from: 1_200, to: 1_260, offset: 630 }, null],
    ["by the user's clock, the day before", { from: 0, to: 61, offset: -540 }, null],
    ["where there are none", { from: 600, to: 600 }, TEN + 30_000],
  ])("disturbs nobody in quiet hours: %s", (_, quiet, pushAt) => {
    const stage = stageOf();
    stage.command("ann", "prefer", { quiet });
    expect(get(stage, notify(stage)).pushAt).toBe(pushAt);
  });

  it("changes the preferences that are named, so that two devices do not undo each other's", () => {
    const stage = stageOf();
    stage.command("ann", "prefer", { kinds: { like: "quiet", digest: "off" } });
    const quiet = { from: 0, to: 60, offset: 0 };
    stage.command("ann", "prefer", { quiet });
    const last = stage.command("ann", "prefer", { kinds: { like: "push", mention: "off" } });
    expect(stage.state.preferences).toEqual({ quiet, kinds: { digest: "off", mention: "off" } });
    const { command = "", input } = (last.status === "accepted" && last.inverse) || {};
    stage.decide(stage.call("ann", command, input));
    expect(stage.state.preferences).toEqual({ quiet, kinds: { digest: "off", like: "quiet" } });
    const many = Object.fromEntries(Array.from({ length: 199 }, (_, n) => [`k${n}`, "off" as const]));
    expect(stage.command("ann", "prefer", { kinds: many })).toMatchObject({ reason: { code: "too-many-kinds" } });
  });

  it("keeps a bounded number of devices, and refuses bounds that cannot be", () => {
    const stage = stageOf();
    const id = notify(stage);
    for (let n = 0; n < 20; n++) stage.command("ann", "acknowledge", { id, device: `d${n}` });
    expect(stage.command("ann", "acknowledge", { id, device: "more" })).toMatchObject({
      reason: { code: "too-many-devices", most: 20 },
    });
    expect(stage.command("ann", "acknowledge", { id, device: "d1" })).toMatchObject({ events: [] });
    for (const options of [{ keep: 0 }, { keep: 1_001 }, { pushAfter: 0 }]) {
      expect(() => inbox(options)).toThrow(RangeError);
    }
  });

  it("keeps the rules, whatever is sent", () => {
    const ids = fc.array(fc.nat(), { minLength: 1, maxLength: 3 });
    const known = (picks: number[], make: (ids: string[]) => object) => (state: InboxState) => {
      const all = [...state.items.keys()];
      return make(picks.map((pick) => all[pick % Math.max(1, all.length)] ?? "none"));
    };
    const commands: fc.Arbitrary<Sent<Inbox>> = fc.oneof(
      fc.record({
        command: fc.constant("notify" as const),
        input: fc.record({
          kind: fc.constantFrom("like", "mention"),
          title: fc.constant("t"),
          priority: fc.constantFrom("normal", "critical"),
        }),
      }),
      fc
        .record({ ids, to: fc.constantFrom("seen", "read", "archived") })
        .map(({ ids, to }): Sent<Inbox> => ({ command: "mark", input: known(ids, (ids) => ({ ids, to })) })),
      fc
        .record({ ids, to: fc.constantFrom("new", "seen", "read") })
        .map(({ ids, to }): Sent<Inbox> => ({ command: "unmark", input: known(ids, (ids) => ({ ids, to })) })),
      fc
        .record({ ids, device: fc.constantFrom("a", "b") })
        .map(
          ({ ids, device }): Sent<Inbox> => ({ command: "acknowledge", input: known(ids, ([id]) => ({ id, device })) }),
        ),
      fc.record({
        command: fc.constant("prefer" as const),
        input: fc.record({ kinds: fc.constantFrom({ like: "off" }, { like: "push" }, { mention: "quiet" }, {}) }),
      }),
    );
    fc.assert(
      fc.property(plays(commands), (steps) => {
        const stage = new Rehearsal(inbox({ keep: 4, pushAfter: 20 }), { admins: ["admin"] });
        for (const user of ["ann", "admin"]) stage.join(user);
        play(stage, steps);
        expect(stage.state.items.size).toBeLessThanOrEqual(4);
        expect(new Set(pushed(stage)).size).toBe(pushed(stage).length);
        for (const { state, pushAt, devices } of stage.state.items.values()) {
          if (state !== "new" || devices.length > 0) expect(pushAt).toBeNull();
          if (pushAt !== null) expect(pushAt).toBeGreaterThan(stage.time);
        }
      }),
    );
  });
});
