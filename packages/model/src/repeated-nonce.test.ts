import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { chat } from "./chat/chat.ts";
import { feed } from "./feed/feed.ts";
import { inbox } from "./inbox/inbox.ts";
import { job } from "./job/jobs.ts";
import type { AnyModel } from "./model.ts";
import { records } from "./records/records.ts";
import { Rehearsal } from "./testing/index.ts";
import { vote } from "./vote/vote.ts";

const board = records({ collections: { cards: { schema: v.object({ title: v.string() }) } } });
const activity = { verb: "added", object: { type: "card", id: "1" } };
const draft = { title: "Which?", options: ["this", "that"] };

describe("M10, G8: a client that uses a command's nonce again does not take the place of what it made", () => {
  it.each<[string, AnyModel, string, object]>([
    ["a record", board, "create", { collection: "cards", value: { title: "t" } }],
    ["a proposal", vote(), "propose", draft],
    ["a secret proposal", vote(), "propose", { ...draft, ballots: "secret" }],
    ["a job", job(), "start", { title: "t" }],
    ["a message", chat(), "send", { text: "t" }],
    ["a message that streams", chat(), "begin", { stream: "stream:1" }],
    ["an activity", feed(), "post", activity],
    ["a notification", inbox(), "notify", { kind: "k", title: "t" }],
  ])("%s", (_, model, command, input) => {
    const stage = new Rehearsal(model, { admins: ["ann"] });
    const call = stage.call("ann", command, input);
    expect(stage.decide(call)).toMatchObject({ status: "accepted" });
    const before = stage.state;
    expect(stage.decide(call)).toMatchObject({ status: "rejected", reason: { code: "exists" } });
    expect(stage.state).toBe(before);
    stage.check();
  });

  it("a proposal that has closed stays as it is, and its key destroyed", () => {
    const stage = new Rehearsal(vote());
    const call = stage.call("ann", "propose", { ...draft, ballots: "secret", electorate: { ann: 1 } });
    stage.decide(call);
    const [id = ""] = stage.state.proposals.keys();
    stage.command("ann", "cast", { proposal: id, choice: 1 });
    expect(stage.state.proposals.get(id)?.result?.tally).toEqual([0, 1]);
    expect(stage.decide(call)).toMatchObject({ reason: { code: "exists" } });
    expect(stage.state.proposals.get(id)?.result?.tally).toEqual([0, 1]);
  });

  it("a job that has ended is not begun again", () => {
    const stage = new Rehearsal(job());
    const call = stage.call("ann", "start", { title: "t" });
    stage.decide(call);
    const [id = ""] = stage.state.jobs.keys();
    stage.command("ann", "cancel", { job: id });
    expect(stage.decide(call)).toMatchObject({ reason: { code: "exists" } });
    expect(stage.state.jobs.get(id)?.phase.kind).toBe("cancelled");
  });
});
