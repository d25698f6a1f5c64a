import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CommandInput } from "../model.ts";
import { inOrder } from "../sequence.ts";
import { play } from "../testing/play.ts";
import type { Outcome } from "../testing/rehearsal.ts";
import { Rehearsal } from "../testing/rehearsal.ts";
import type { Sent } from "../testing/steps.fixture.ts";
import { plays } from "../testing/steps.fixture.ts";
import { chat } from "./chat.ts";
import type { ChatState, Message } from "./message.ts";
import { unreadOf } from "./message.ts";

const model = chat();
type Chat = typeof model;

function stageOf(options = {}) {
  return new Rehearsal(chat(options), { admins: ["admin"] });
}

/** The id of what was sent. */
function idOf(outcome: Outcome<unknown>): string {
  if (outcome.status !== "accepted") throw new Error(JSON.stringify(outcome));
  return (outcome.events[0] as unknown as { data: { id: string } }).data.id;
}

const say = (stage: Rehearsal<Chat>, user: string | undefined, more: Partial<CommandInput<Chat, "send">> = {}) =>
  idOf(stage.command(user, "send", { text: "Hello", ...more }));
const get = (stage: Rehearsal<Chat>, id: string) => stage.state.items.get(id) as Message;

describe("a chat", () => {
  it("numbers its messages, and keeps the newest", () => {
    const stage = stageOf({ keep: 2 });
    const [first = "", ...rest] = ["a", "b", "c"].map((text) => say(stage, "ann", { text }));
    expect(inOrder(stage.state)).toMatchObject(rest.map((id, at) => ({ id, n: at + 2, by: "ann" })));
    expect(stage.command("ann", "edit", { id: first, text: "x" })).toMatchObject({
      reason: { code: "unknown-message" },
    });
    expect(get(stage, say(stage, undefined))).not.toHaveProperty("by");
    stage.check();
  });

  it("takes a message without a text where something else goes with it", () => {
    const stage = stageOf();
    expect(stage.command("ann", "send", { text: "" })).toMatchObject({ status: "invalid" });
    const id = say(stage, "ann", { text: "", extra: { image: "cat.png" } });
    expect(stage.command("ann", "edit", { id, text: "", extra: null })).toMatchObject({ reason: { code: "empty" } });
  });

  it("lets users write no more than is asked for, and the application stream as much as it wants", () => {
    const stage = stageOf({ longest: 10 });
    const [short, long] = ["x".repeat(10), "x".repeat(11)];
    expect(stage.command("ann", "send", { text: long })).toMatchObject({ status: "invalid" });
    const tooLong = { reason: { code: "too-long", most: 10 } };
    const own = say(stage, "ann", { text: short });
    expect(stage.command("ann", "edit", { id: own, text: long })).toMatchObject(tooLong);
    const begin = () => idOf(stage.command("ann", "begin", { stream: "text:1" }));
    expect(stage.command("ann", "finish", { id: begin(), text: long })).toMatchObject(tooLong);
    const id = begin();
    stage.command("admin", "finish", { id, text: `${long}yz` });
    expect(get(stage, id).text).toBe(`${long}yz`);
    // What is long already may be made shorter, bit by bit.
    stage.command("ann", "edit", { id, text: long, was: `${long}yz` });
    expect(get(stage, id).text).toBe(long);
    stage.check();
  });

  it("is edited and removed by who wrote it, and by admins, of whom it says so", () => {
    const stage = stageOf();
    const id = say(stage, "ann");
    for (const [command, input] of [
      ["edit", { id, text: "x" }],
      ["remove", { id }],
      ["finish", { id, text: "x" }],
    ] as const) {
      expect(stage.command("bea", command, input)).toMatchObject({ reason: { code: "not-yours" } });
    }
    stage.command("admin", "edit", { id, text: "Hm" });
    expect(get(stage, id)).toMatchObject({ by: "ann", text: "Hm", editedBy: "admin", editedAt: stage.time });
    stage.command("ann", "edit", { id, text: "Hello!" });
    expect(get(stage, id)).not.toHaveProperty("editedBy");
    stage.command("bea", "react", { id, reaction: "👍" });
    stage.command("admin", "remove", { id });
    expect(get(stage, id)).toMatchObject({ text: "", mentions: [], reactions: {}, deletedBy: "admin" });
    expect(stage.command("ann", "edit", { id, text: "x" })).toMatchObject({ reason: { code: "deleted" } });
    expect(stage.command("bea", "react", { id, reaction: "👍" })).toMatchObject({ reason: { code: "deleted" } });
    expect(stage.command("ann", "remove", { id })).toMatchObject({ status: "accepted", events: [] });
  });

  it("shows both texts where two have edited one", () => {
    const stage = stageOf();
    const id = say(stage, "ann");
    stage.command("admin", "edit", { id, text: "Hello.", was: "Hello" });
    expect(stage.command("ann", "edit", { id, text: "Hello!", was: "Hello" })).toEqual({
      status: "rejected",
      reason: {
        code: "conflict",
        path: ["items", id, "text"],
        mine: "Hello!",
        theirs: "Hello.",
        by: "admin",
        at: stage.time,
        restore: { command: "edit", input: { id, text: "Hello!", was: "Hello." } },
      },
    });
  });

  it("gives back all that an edit changed, unless somebody has changed it since", () => {
    const stage = stageOf();
    const id = say(stage, "ann", { extra: { bold: [] }, mentions: ["bea"] });
    const before = get(stage, id);
    const edited = stage.command("ann", "edit", { id, text: "Hi", extra: { bold: [1] }, mentions: ["cai"] });
    const { command = "", input } = (edited.status === "accepted" && edited.inverse) || {};
    expect(stage.decide(stage.call("ann", command, input))).toMatchObject({ status: "accepted" });
    expect(get(stage, id)).toEqual({ ...before, editedAt: stage.time });
    stage.command("admin", "edit", { id, text: "Other" });
    expect(stage.decide(stage.call("ann", command, input))).toMatchObject({ reason: { code: "conflict" } });
  });

  it("counts what a user has not read; that never goes back", () => {
    const stage = stageOf({ readers: 1 });
    const [first = "", second = ""] = ["ann", "ann", "bea", "ann"].map((user) => say(stage, user));
    expect([unreadOf(stage.state, "bea"), unreadOf(stage.state, "ann")]).toEqual([3, 1]);
    stage.command("bea", "read", { id: second });
    stage.command("bea", "read", { id: first });
    expect(unreadOf(stage.state, "bea")).toBe(1);
    expect(stage.command("ann", "read", { id: first })).toMatchObject({
      reason: { code: "too-many-readers", most: 1 },
    });
    expect(stage.command(undefined, "read", { id: first })).toMatchObject({ reason: { code: "nobody" } });
  });

  it.each(["constructor", "toString", "hasOwnProperty", "👩‍🚀", "1"])("is reacted to with %s", (reaction) => {
    const stage = stageOf();
    const id = say(stage, "ann");
    stage.command("bea", "react", { id, reaction });
    stage.command("bea", "react", { id, reaction });
    stage.command("ann", "react", { id, reaction });
    expect(get(stage, id).reactions).toEqual({ [reaction]: ["bea", "ann"] });
    const back = stage.command("bea", "react", { id, reaction, on: false });
    expect(back).toMatchObject({ inverse: { command: "react", input: { id, reaction, on: true } } });
    stage.command("ann", "react", { id, reaction, on: false });
    expect(get(stage, id).reactions).toEqual({});
    stage.check();
  });

  it("takes a bounded number of reactions, by kinds and altogether", () => {
    const stage = stageOf({ reactions: 2, reactors: 3 });
    const id = say(stage, "ann");
    for (const reaction of ["a", "b"]) stage.command("ann", "react", { id, reaction });
    const more = (user: string, reaction: string) => stage.command(user, "react", { id, reaction });
    expect(more("bea", "c")).toMatchObject({ reason: { code: "too-many-reactions", most: 2 } });
    expect(more("bea", "a")).toMatchObject({ status: "accepted" });
    expect(more("cai", "a")).toMatchObject({ reason: { code: "too-many-reactions", most: 3 } });
  });

  it("has messages that stream in: nobody edits one before it is whole", () => {
    const stage = stageOf();
    const id = idOf(stage.command("bot", "begin", { stream: "room:7" }));
    expect(get(stage, id)).toMatchObject({ text: "", stream: "room:7" });
    expect(stage.command("bot", "edit", { id, text: "x" })).toMatchObject({ reason: { code: "streaming" } });
    stage.command("bot", "finish", { id, text: "All of", aborted: "out of words", extra: { words: 2 } });
    expect(get(stage, id)).toMatchObject({ text: "All of", aborted: "out of words", extra: { words: 2 } });
    expect(get(stage, id)).not.toHaveProperty("stream");
    expect(stage.command("bot", "finish", { id, text: "again" })).toMatchObject({ events: [] });
  });

  it("refuses bounds that cannot be", () => {
    for (const options of [{ keep: 0 }, { longest: 1.5 }, { readers: Number.NaN }]) {
      expect(() => chat(options)).toThrow(RangeError);
    }
  });

  it("keeps the rules, whatever is sent", () => {
    const text = fc.constantFrom("", "a", "b");
    const extra = fc.option(fc.constantFrom({ image: 1 }, null), { nil: undefined });
    /** One of the messages that the client shows. */
    const some = fc.tuple(fc.nat(), fc.constantFrom("none", "one", "one", "one")).map(([pick, of]) => {
      return ({ items }: ChatState) =>
        of === "none" ? of : ([...items.keys()][pick % Math.max(1, items.size)] ?? "none");
    });
    const on = (command: "edit" | "finish" | "remove" | "react" | "read", more: fc.Arbitrary<object>) =>
      fc.tuple(some, more).map(([pick, more]): Sent<Chat> => {
        return { command, input: (state: ChatState) => ({ id: pick(state), ...more }) };
      });
    const commands: fc.Arbitrary<Sent<Chat>> = fc.oneof(
      { weight: 3, arbitrary: fc.record({ command: fc.constant("send" as const), input: fc.record({ text, extra }) }) },
      fc.record({ command: fc.constant("begin" as const), input: fc.constant({ stream: "room:7" }) }),
      on("edit", fc.record({ text, extra, was: text }, { requiredKeys: ["text"] })),
      on("finish", fc.record({ text, aborted: text }, { requiredKeys: ["text"] })),
      on("remove", fc.constant({})),
      on("react", fc.record({ reaction: fc.constantFrom("👍", "constructor", "1"), on: fc.boolean() })),
      on("read", fc.constant({})),
    );
    fc.assert(
      fc.property(plays(commands), (steps) => {
        const stage = new Rehearsal(chat({ keep: 4, reactions: 2, reactors: 3, readers: 2 }), { admins: ["cai"] });
        for (const user of ["ann", "bea", "cai"]) stage.join(user);
        play(stage, steps);
        const { items, readings, last } = stage.state;
        expect(items.size).toBeLessThanOrEqual(4);
        expect(readings.size).toBeLessThanOrEqual(2);
        const sent = stage.events.filter(({ type }) => type === "sent");
        expect(last).toBe(sent.length);
        expect(inOrder(stage.state).map(({ id }) => id)).toEqual(
          sent.slice(-4).map(({ data }) => (data as { id: string }).id),
        );
        for (const { reactions, deletedAt, text, n } of items.values()) {
          const users = Object.values(reactions);
          expect(users.length <= 2 && users.flat().length <= 3).toBe(true);
          for (const list of users) expect(new Set(list).size).toBe(list.length);
          if (deletedAt !== undefined) expect([text, users]).toEqual(["", []]);
          expect(n).toBeLessThanOrEqual(last);
        }
        const reads = new Map<string | undefined, number>();
        for (const { type, data, info } of stage.events) {
          if (type !== "read") continue;
          const { n } = data as { n: number };
          expect(n).toBeGreaterThan(reads.get(info.author) ?? 0);
          reads.set(info.author, n);
        }
      }),
    );
  });
});

describe("an edit that is taken back", () => {
  it.each([
    ["extra", { image: "a.png" }, { image: "b.png" }, { image: "c.png" }],
    ["mentions", ["ann"], ["bea"], ["cai"]],
  ])("is refused where another has changed %s meanwhile", (field, before, mine, theirs) => {
    const stage = stageOf();
    const id = say(stage, "ann", { text: "Look", [field]: before });
    const edit = (user: string, value: unknown) => stage.command(user, "edit", { id, text: "Look", [field]: value });
    const edited = edit("ann", mine);
    if (edited.status !== "accepted" || !edited.inverse) throw new Error(JSON.stringify(edited));
    edit("admin", theirs);
    const back = edited.inverse.input as CommandInput<Chat, "edit">;
    const refused = stage.command("ann", "edit", back);
    expect(refused).toMatchObject({ reason: { code: "conflict", path: ["items", id, field], theirs, by: "admin" } });
    expect(get(stage, id)).toMatchObject({ [field]: theirs });
    if (refused.status !== "rejected" || !("restore" in refused.reason)) throw new Error("not refused");
    stage.command("ann", "edit", refused.reason.restore?.input as CommandInput<Chat, "edit">);
    expect(get(stage, id)).toMatchObject({ [field]: before });
    stage.check();
  });
});

it("a message that the application has changed says so, and who is in conflict with that is told nobody else's name", () => {
  const stage = stageOf();
  const id = say(stage, "ann", { text: "Hm" });
  stage.command(undefined, "edit", { id, text: "Ahem" });
  expect(get(stage, id)).toMatchObject({ by: "ann", editedBy: "" });
  const refused = stage.command("ann", "edit", { id, text: "Hmm", was: "Hm" });
  expect(refused).toMatchObject({ reason: { code: "conflict", theirs: "Ahem" } });
  expect("reason" in refused && refused.reason).not.toHaveProperty("by");
  stage.command(undefined, "remove", { id });
  expect(get(stage, id)).toMatchObject({ deletedBy: "" });
  const own = say(stage, undefined, { text: "Welcome" });
  stage.command(undefined, "edit", { id: own, text: "Welcome!" });
  expect(get(stage, own)).not.toHaveProperty("editedBy");
  stage.check();
});
