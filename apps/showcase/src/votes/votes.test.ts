import { TandemError } from "@tandem/client";
import { Cell } from "@tandem/runtime";
import { describe, expect, it } from "vitest";
import { votes as definition } from "../room-models.ts";
import { FakeModel, names } from "../tools/model.fixture.ts";
import type { ProposalDraft } from "./proposal-draft.ts";
import { EMPTY_DRAFT, proposalOf } from "./proposal-draft.ts";
import { methodWords } from "./vote-words.ts";
import { Votes } from "./votes.ts";

function open(draft: Partial<ProposalDraft> = {}) {
  const model = new FakeModel(definition);
  const votes = new Votes({ model: model.port, self: new Cell("me"), names, now: () => 1_000 });
  expect(votes.propose({ ...EMPTY_DRAFT, title: "Tea?", ...draft })).toBeUndefined();
  model.answer();
  const [row] = votes.get().open;
  const id = row?.id ?? "";
  const now = () => [...votes.get().open, ...votes.get().closed].find((one) => one.id === id);
  return {
    model,
    votes,
    id,
    now,
    /** Each option as `votes`, `*` where it is the reader's, and its rank. */
    shown: () => now()?.options.map(({ votes: n, chosen, rank }) => `${n ?? "?"}${chosen ? "*" : ""}${rank ?? ""}`),
    others: (...choices: unknown[]) => {
      for (const [index, choice] of choices.entries()) model.by(`u${index}`, "cast", { proposal: id, choice });
    },
    close: () => {
      votes.close(id);
      model.answer();
    },
  };
}

describe("a proposal", () => {
  it("takes a title and two options that differ", () => {
    const wrong = (draft: Partial<ProposalDraft>) => {
      const result = proposalOf({ ...EMPTY_DRAFT, title: "T", ...draft }, 0);
      return "wrong" in result ? result.wrong : undefined;
    };
    expect(wrong({})).toBeUndefined();
    expect(wrong({ title: "  " })).toBe("Say what it is about.");
    expect(wrong({ options: ["a", " ", ""] })).toBe("Give at least two options.");
    expect(wrong({ options: ["a", "a ", "b"] })).toBe("Two options are the same.");
  });

  it("carries its rules", () => {
    const result = proposalOf({ ...EMPTY_DRAFT, title: " T ", options: ["a", "b", ""], quorum: 3, minutes: 5 }, 1_000);
    expect(result).toEqual({
      input: {
        title: "T",
        options: ["a", "b"],
        method: { kind: "majority" },
        ballots: "open",
        changes: true,
        quorum: { voters: 3 },
        deadline: 301_000,
      },
    });
    expect(methodWords({ kind: "super-majority", share: 2 / 3 })).toBe("Two thirds decide");
    expect(methodWords({ kind: "super-majority", share: 0.75 })).toBe("75 % decide");
  });
});

describe("a vote", () => {
  it("counts as soon as it is cast, shows that it is not final, and may be changed", () => {
    const { model, votes, id, now, shown, others } = open();
    others(1, 1);
    votes.choose(id, 0);
    expect(shown()).toEqual(["1*", "2"]);
    expect(now()).toMatchObject({ stage: "queued", turnout: "3 voted", mine: "You have voted" });
    model.answer();
    expect(now()?.stage).toBeUndefined();
    votes.choose(id, 0);
    expect(model.sent).toEqual([]);
    votes.choose(id, 1);
    model.answer();
    expect(shown()).toEqual(["0", "3*"]);
    votes.abstain(id);
    expect(now()).toMatchObject({ abstains: true, turnout: "3 voted, 1 of them abstained", mine: "You abstain" });
  });

  it("that came too late is taken back, with the reason", () => {
    const { model, votes, id, now, shown } = open();
    votes.choose(id, 0);
    model.by("me", "close", { proposal: id });
    model.answer();
    expect(shown()).toEqual(["0", "0"]);
    expect(now()?.mine).toBe("You did not vote");
    expect(votes.get().refusals.map(({ words }) => words)).toEqual([
      "Your vote on “Tea?” was refused. The proposal was closed by then.",
    ]);
  });

  it("for several adds them and takes them back; ranked, in the order in which they were chosen", () => {
    const { votes, id, shown } = open({ options: ["a", "b", "c"], method: "ranked" });
    votes.choose(id, 2);
    votes.choose(id, 0);
    expect(shown()).toEqual(["0*2", "0", "1*1"]);
    votes.choose(id, 2);
    expect(shown()).toEqual(["1*1", "0", "0"]);
    votes.choose(id, 0);
    expect(shown()).toEqual(["0", "0", "0"]);
  });

  it("that is secret shows its voter what they chose, and no tally before it closes", () => {
    const { model, votes, id, now, shown, others, close } = open({ ballots: "secret" });
    others(1, 1);
    votes.choose(id, 1);
    expect(shown()).toEqual(["?", "?*"]);
    model.answer();
    expect(shown()).toEqual(["?", "?*"]);
    expect(now()).toMatchObject({ turnout: "3 voted", mine: "You have voted", canVote: true });
    close();
    expect(shown()).toEqual(["0", "3"]);
    expect(now()?.outcome?.words).toBe("Decided: “No”");
  });

  it("that is secret and refused leaves the choice as it was", () => {
    const { model, votes, id, shown } = open({ ballots: "secret" });
    const refused = () => model.refuse(new TandemError("forbidden", "No right."));
    votes.choose(id, 0);
    refused();
    expect(shown()).toEqual(["?", "?"]);
    votes.choose(id, 1);
    model.answer();
    votes.choose(id, 0);
    expect(shown()).toEqual(["?*", "?"]);
    refused();
    expect(shown()).toEqual(["?", "?*"]);
  });

  it("is final where minds may not be changed", () => {
    const { model, votes, id, now } = open({ changes: false });
    votes.choose(id, 0);
    expect(now()?.canVote).toBe(false);
    model.answer();
    votes.choose(id, 1);
    expect(model.sent).toEqual([]);
  });
});

describe("a result", () => {
  it.each([
    ["decided", { options: ["a", "b"] }, [0, 0, 1], "Decided: “a”", [true, false]],
    ["tie", { options: ["a", "b"] }, [0, 1], "A tie between “a” and “b”", [true, true]],
    ["undecided", { method: "unanimous" as const }, [0, 0, 1], "No decision: no option had enough", [false, false]],
    ["undecided", {}, [null], "No decision: nobody chose", [false, false]],
    ["no-quorum", { quorum: 3 }, [0, 0], "No quorum: 2 of 3 needed voted", [false, false]],
  ] as const)("tells of %s", (kind, draft, choices, words, won) => {
    const { now, others, close } = open(draft as Partial<ProposalDraft>);
    others(...choices);
    close();
    expect(now()?.outcome).toEqual({ kind, words });
    expect(now()?.options.map((option) => option.won)).toEqual(won);
    expect(now()).toMatchObject({ canVote: false, canClose: false });
  });

  it("is for who proposed it to ask for; withdrawn, it says by whom", () => {
    const { model, votes, now, id } = open();
    expect(now()?.canClose).toBe(true);
    model.by("ada", "propose", { title: "Hers", options: ["a", "b"] });
    expect(votes.get().open.find(({ title }) => title === "Hers")).toMatchObject({ canClose: false, by: "ada!" });
    votes.withdraw(id);
    model.answer();
    expect(now()?.outcome?.words).toBe("Withdrawn by you");
  });
});
