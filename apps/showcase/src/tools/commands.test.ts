import type { Sent, SentStatus } from "@tandem/client";
import { TandemError } from "@tandem/client";
import { Cell } from "@tandem/runtime";
import { describe, expect, it } from "vitest";
import { Commands } from "./commands.ts";

function command() {
  const status = new Cell<SentStatus>({ kind: "pending", stage: "queued" });
  return { status, sent: { status, settled: new Promise<never>(() => {}) } satisfies Sent };
}

const CONFIRMED: SentStatus = { kind: "confirmed", position: { epoch: "e", offset: 1, tag: "" } };

function rejected(code: string): SentStatus {
  return { kind: "rejected", reason: { code }, error: new TandemError("rejected", "No.") };
}

function tracked(...abouts: string[]) {
  const commands = new Commands((reason) => `Because of ${reason.code}.`);
  const all = abouts.map((about) => {
    const one = command();
    commands.track(one.sent, { about, what: `The change of ${about}` });
    return one.status;
  });
  return { commands, all, stages: () => [...commands.get().stages] };
}

describe("own commands", () => {
  it("are told by what they are about, of several the one furthest back, until each is final", () => {
    const { commands, all, stages } = tracked("a", "a", "b");
    all[0]?.set({ kind: "pending", stage: "sent" });
    expect(stages()).toEqual([
      ["a", "queued"],
      ["b", "queued"],
    ]);
    all[1]?.set({ kind: "pending", stage: "sent" });
    expect(commands.get().stages.get("a")).toBe("sent");
    expect(commands.unfinished).toBe(true);
    for (const status of all) status.set(CONFIRMED);
    expect(stages()).toEqual([]);
    expect(commands.unfinished).toBe(false);
  });

  it("say why they were refused, until that is dismissed; conflicts are shown elsewhere", () => {
    const { commands, all } = tracked("a", "b", "c", "d");
    all[0]?.set(rejected("closed"));
    all[1]?.set(rejected("conflict"));
    all[2]?.set({ kind: "rejected", reason: undefined, error: new TandemError("stale-fence", "A newer token.") });
    all[3]?.set({ kind: "unknown", error: new TandemError("closed", "The client was closed.") });
    expect(commands.get().refusals.map(({ words }) => words)).toEqual([
      "The change of a was refused. Because of closed.",
      "The change of c was refused. Somebody else had taken over by then.",
      "The change of d: nobody can tell whether it took effect. The client was closed.",
    ]);
    commands.dismiss(commands.get().refusals[0]?.key ?? "");
    expect(commands.get().refusals).toHaveLength(2);
  });

  it("G11: show twenty refusals at most", () => {
    const { commands, all } = tracked(...Array.from({ length: 25 }, (_, index) => `${index}`));
    for (const status of all) status.set(rejected("full"));
    expect(commands.get().refusals).toHaveLength(20);
    expect(commands.get().refusals.at(-1)?.words).toContain("The change of 24");
  });
});
