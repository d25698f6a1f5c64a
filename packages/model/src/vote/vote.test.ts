import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CommandInput } from "../model.ts";
import type { Step } from "../testing/index.ts";
import { play, Rehearsal } from "../testing/index.ts";
import type { Choice, Method, Proposal } from "./proposal.ts";
import { vote } from "./vote.ts";

const votes = vote();
type Votes = typeof votes;
type Propose = CommandInput<Votes, "propose">;

function stageOf(...users: string[]) {
  const stage = new Rehearsal(votes, { admins: ["admin"] });
  for (const user of users) stage.join(user);
  return stage;
}

/** The id of the proposal that was made. */
function proposed([event]: readonly { readonly data: unknown }[]): string {
  return event ? (event.data as { id: string }).id : "";
}

function propose(stage: Rehearsal<Votes>, more: Partial<Propose> = {}, by = "ann"): string {
  const input = { title: "Where to?", options: ["Rome", "Oslo"], ...more };
  const outcome = stage.command(by, "propose", input);
  if (outcome.status !== "accepted") throw new Error(`not accepted: ${JSON.stringify(outcome)}`);
  return proposed(outcome.events);
}

const get = (stage: Rehearsal<Votes>, id: string) => stage.state.proposals.get(id) as Proposal;
const cast = (stage: Rehearsal<Votes>, user: string, proposal: string, choice: Choice) =>
  stage.command(user, "cast", { proposal, choice });

const electorate = { ann: 1, bea: 1, cai: 1 };

describe("a vote", () => {
  it("G8: counts once per voter; a change of mind takes the place of the first ballot", () => {
    const stage = stageOf();
    const id = propose(stage);
    cast(stage, "bea", id, 0);
    cast(stage, "bea", id, 1);
    cast(stage, "bea", id, 1);
    expect(get(stage, id)).toMatchObject({ tally: [0, 1], turnout: { voters: 1 } });
    stage.check();
  });

  it("G8: lets nobody change their mind where that was not allowed", () => {
    const stage = stageOf();
    const id = propose(stage, { changes: false });
    cast(stage, "bea", id, 0);
    expect(cast(stage, "bea", id, 1)).toMatchObject({ reason: { code: "already-voted" } });
  });

  it("G8: that is closed is final", () => {
    const stage = stageOf();
    const id = propose(stage);
    cast(stage, "bea", id, 0);
    expect(stage.command("ann", "close", { proposal: id })).toMatchObject({ status: "accepted" });
    const { result } = get(stage, id);
    expect(result).toMatchObject({ outcome: { kind: "decided", option: 0 }, tally: [1, 0], turnout: { voters: 1 } });
    for (const [user, command, input] of [
      ["cai", "cast", { proposal: id, choice: 1 }],
      ["ann", "close", { proposal: id }],
      ["ann", "withdraw", { proposal: id }],
    ] as const) {
      expect(stage.command(user, command, input as never)).toMatchObject({ reason: { code: "closed" } });
    }
    expect(get(stage, id).result).toBe(result);
  });

  it("closes at its deadline, and takes no ballot after it even before that was noticed", () => {
    const stage = stageOf();
    const id = propose(stage, { deadline: stage.time + 1_000 });
    cast(stage, "bea", id, 0);
    stage.advance(1_500);
    expect(cast(stage, "cai", id, 1)).toMatchObject({ reason: { code: "closed" } });
    stage.fire();
    expect(get(stage, id).result).toMatchObject({ outcome: { kind: "decided", option: 0 } });
    stage.check();
  });

  it("without its quorum ends so; ties are results", () => {
    const stage = stageOf();
    const first = propose(stage, { quorum: { share: 0.6 }, electorate });
    cast(stage, "bea", first, 0);
    stage.command("ann", "close", { proposal: first });
    expect(get(stage, first).result?.outcome).toEqual({ kind: "no-quorum" });
    const second = propose(stage);
    cast(stage, "bea", second, 0);
    cast(stage, "cai", second, 1);
    stage.command("ann", "close", { proposal: second });
    expect(get(stage, second).result?.outcome).toEqual({ kind: "tie", options: [0, 1] });
  });

  it("closes early once nothing that is still out could change it", () => {
    const stage = stageOf();
    const id = propose(stage, { electorate, changes: false });
    cast(stage, "ann", id, 0);
    expect(get(stage, id).result).toBeNull();
    cast(stage, "bea", id, 0);
    expect(get(stage, id).result).toMatchObject({ outcome: { kind: "decided", option: 0 } });
  });

  it.each([
    ["where minds may change", { changes: true }],
    ["where ballots are sealed: it would tell of the last ones", { changes: false, ballots: "secret" as const }],
    ["where it was told not to", { changes: false, early: false }],
  ])("does not close early %s", (_, more) => {
    const stage = stageOf();
    const id = propose(stage, { electorate, ...more });
    cast(stage, "ann", id, 0);
    cast(stage, "bea", id, 0);
    expect(get(stage, id).result).toBeNull();
  });

  it("is for its electorate only, and its close for who proposed it and admins", () => {
    const stage = stageOf();
    const id = propose(stage, { electorate });
    expect(cast(stage, "dov", id, 0)).toMatchObject({ reason: { code: "not-a-voter" } });
    expect(cast(stage, "toString", id, 0)).toMatchObject({ reason: { code: "not-a-voter" } });
    expect(stage.command("bea", "close", { proposal: id })).toMatchObject({ reason: { code: "not-yours" } });
    expect(stage.command("admin", "close", { proposal: id })).toMatchObject({ status: "accepted" });
  });

  it("can be stopped by those whom it names, with a reason", () => {
    const stage = stageOf();
    const id = propose(stage, { veto: ["bea"] });
    expect(stage.command("cai", "veto", { proposal: id, reason: "no" })).toMatchObject({
      reason: { code: "not-yours" },
    });
    expect(stage.command("bea", "veto", { proposal: id, reason: "  " })).toMatchObject({ status: "invalid" });
    stage.command("bea", "veto", { proposal: id, reason: "Too far." });
    expect(get(stage, id).result?.outcome).toEqual({ kind: "vetoed", by: "bea", reason: "Too far." });
  });

  it.each<[string, Partial<Propose>]>([
    ["a deadline that has passed", { deadline: 1 }],
    ["a share of nobody in particular", { quorum: { share: 0.5 } }],
    ["weights of nobody in particular", { method: { kind: "weighted" } }],
  ])("is not opened with %s", (_, more) => {
    const stage = stageOf();
    const input = { title: "Where to?", options: ["Rome", "Oslo"], ...more };
    expect(stage.command("ann", "propose", input)).toMatchObject({ reason: { code: "invalid-proposal" } });
  });

  it("keeps a bounded number, the open ones always", () => {
    const few = vote({ open: 3, keep: 2 });
    const stage = new Rehearsal(few);
    const ids = Array.from({ length: 6 }, () => {
      const outcome = stage.command("ann", "propose", { title: "t", options: ["a", "b"] });
      const id = outcome.status === "accepted" ? proposed(outcome.events) : "";
      stage.command("bea", "cast", { proposal: id, choice: 0 });
      stage.command("ann", "close", { proposal: id });
      stage.advance(1);
      return id;
    });
    expect(stage.state.proposals.size).toBe(2);
    expect([...stage.state.ballots.keys()].every((key) => ids.slice(4).some((id) => key.startsWith(id)))).toBe(true);
    for (let more = 0; more < 3; more++) stage.command("ann", "propose", { title: "t", options: ["a", "b"] });
    expect(stage.command("ann", "propose", { title: "t", options: ["a", "b"] })).toMatchObject({
      reason: { code: "too-many-open", most: 3 },
    });
    stage.check();
  });
});

describe("a vote of everybody", () => {
  it("takes a bounded number of ballots", () => {
    const stage = new Rehearsal(vote({ voters: 2 }));
    const [open, named] = [{}, { electorate }].map((more) => {
      const outcome = stage.command("ann", "propose", { title: "t", options: ["a", "b"], ...more });
      return outcome.status === "accepted" ? proposed(outcome.events) : "";
    });
    const cast = (user: string, proposal = "") => stage.command(user, "cast", { proposal, choice: 0 });
    for (const user of ["ann", "bea", "bea"]) expect(cast(user, open)).toMatchObject({ status: "accepted" });
    expect(cast("cai", open)).toMatchObject({ reason: { code: "too-many-voters", most: 2 } });
    for (const user of ["ann", "bea", "cai"]) expect(cast(user, named)).toMatchObject({ status: "accepted" });
    expect(() => vote({ voters: 0 })).toThrow(RangeError);
  });
});

describe("hidden ballots", () => {
  it("are told to nobody before the close, and to everybody after it", () => {
    const stage = stageOf("bea", "cai");
    const id = propose(stage, { ballots: "hidden" });
    cast(stage, "bea", id, 0);
    cast(stage, "cai", id, 1);
    expect(get(stage, id).tally).toBeNull();
    expect(stage.state.ballots.get(`${id}/bea`)).not.toHaveProperty("choice");
    stage.command("ann", "close", { proposal: id });
    expect(get(stage, id)).toMatchObject({ tally: [1, 1] });
    expect(stage.state.ballots.get(`${id}/bea`)).toMatchObject({ choice: 0 });
    stage.check();
  });

  it("of many voters with long names are told in events that are not too large", () => {
    const stage = stageOf();
    const id = propose(stage, { ballots: "hidden" });
    const voters = Array.from({ length: 300 }, (_, index) => `${index}`.padStart(250, "v"));
    for (const voter of voters) cast(stage, voter, id, 0);
    stage.command("ann", "close", { proposal: id });
    expect(get(stage, id).tally).toEqual([300, 0]);
    const told = stage.events.filter(({ type }) => type === "revealed").map(({ data }) => JSON.stringify(data));
    for (const data of told) expect(Buffer.byteLength(data)).toBeLessThan(16_384);
    expect(told.length).toBeGreaterThan(1);
    for (const voter of voters) expect(stage.state.ballots.get(`${id}/${voter}`)).toMatchObject({ choice: 0 });
  });
});

describe("secret ballots", () => {
  it("are counted, and their key is gone", () => {
    const stage = stageOf("bea");
    const id = propose(stage, { ballots: "secret", electorate });
    for (const [user, choice] of [
      ["ann", 0],
      ["bea", 1],
      ["bea", 0],
      ["cai", null],
    ] as const)
      cast(stage, user, id, choice);
    expect(get(stage, id).result).toMatchObject({
      outcome: { kind: "decided", option: 0 },
      tally: [2, 0],
      turnout: { voters: 3, abstained: 1 },
    });
    const { sealed = "" } = stage.state.ballots.get(`${id}/bea`) ?? {};
    expect(sealed).not.toBe("");
    expect(stage.sealed.decision("later").sealing.open(id, sealed)).toBeUndefined();
  });

  it("look alike, whatever they say: a guess by their lengths is no better than chance", () => {
    const stage = stageOf();
    const id = propose(stage, { ballots: "secret", options: ["a", "b"], method: { kind: "approval" } });
    cast(stage, "bea", id, [0, 1]);
    cast(stage, "cai", id, null);
    const lengths = [...stage.state.ballots.values()].map(({ sealed }) => sealed?.length);
    expect(new Set(lengths).size).toBe(1);
  });
});

describe("votes of any kind, by anybody, in any order", () => {
  const methods: Method[] = [
    { kind: "majority" },
    { kind: "super-majority", share: 0.6 },
    { kind: "unanimous" },
    { kind: "weighted" },
    { kind: "ranked" },
    { kind: "approval" },
  ];
  const users = ["ann", "bea", "cai", "dov"];
  const proposal = fc.record({
    title: fc.constant("t"),
    options: fc.constantFrom(["a", "b"], ["a", "b", "c"]),
    method: fc.constantFrom(...methods),
    electorate: fc.constantFrom({ ann: 2, bea: 1 }, { ann: 1, bea: 1, cai: 3 }),
    ballots: fc.constantFrom("open" as const, "hidden" as const, "secret" as const),
    changes: fc.boolean(),
    veto: fc.constantFrom([], ["bea"]),
  });
  const choice = fc.oneof(
    fc.constant(null),
    fc.integer({ min: 0, max: 2 }),
    fc.shuffledSubarray([0, 1, 2], { minLength: 1 }),
  );
  const client = fc.integer({ min: 0, max: 3 });
  /** One of those that the client shows. */
  const known = (pick: number, make: (id: string) => object) => (state: ReturnType<Votes["initial"]>) => {
    const ids = [...state.proposals.keys()];
    return make(ids[pick % Math.max(1, ids.length)] ?? "none");
  };
  const step: fc.Arbitrary<Step<Votes>> = fc.oneof(
    fc.record({ do: fc.constant("send" as const), client, command: fc.constant("propose" as const), input: proposal }),
    fc.record({ client, choice, pick: fc.nat(5) }).map(
      ({ client, choice, pick }): Step<Votes> => ({
        do: "send",
        client,
        command: "cast",
        input: known(pick, (proposal) => ({ proposal, choice })),
      }),
    ),
    fc.record({ client, pick: fc.nat(5), command: fc.constantFrom("close" as const, "withdraw" as const) }).map(
      ({ client, pick, command }): Step<Votes> => ({
        do: "send",
        client,
        command,
        input: known(pick, (proposal) => ({ proposal })),
      }),
    ),
    fc.record({ client, pick: fc.nat(5) }).map(
      ({ client, pick }): Step<Votes> => ({
        do: "send",
        client,
        command: "veto",
        input: known(pick, (proposal) => ({ proposal, reason: "no" })),
      }),
    ),
    fc.record({ do: fc.constant("serve" as const), client }),
    fc.record({ do: fc.constant("serve" as const), client }),
    fc.record({ do: fc.constant("deliver" as const), client, count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ do: fc.constant("reload" as const), client }),
    fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 5_000 }) }),
  );

  it("G8: keep the rules: a ballot a voter, results final and true to the ballots", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const stage = stageOf(...users);
        play(stage, steps);
        for (const { id, turnout, result, electorate, ballots, tally } of stage.state.proposals.values()) {
          const cast = [...stage.state.ballots].filter(([key]) => key.startsWith(`${id}/`)).map(([, ballot]) => ballot);
          expect(turnout.voters).toBe(cast.length);
          for (const { voter } of cast) expect(electorate).toHaveProperty(voter);
          if (ballots === "open" && tally !== null && !result) {
            const most = Math.max(...tally, 0);
            expect(most).toBeLessThanOrEqual(turnout.weight);
          }
          if (ballots === "secret") for (const ballot of cast) expect(ballot).not.toHaveProperty("choice");
        }
        const closed = stage.events
          .filter(({ type }) => type === "closed")
          .map(({ data }) => (data as { proposal: string }).proposal);
        expect(new Set(closed).size).toBe(closed.length);
      }),
      { numRuns: 150 },
    );
  });
});
