import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StateOf } from "../model.ts";
import type { Step } from "../testing/index.ts";
import { Rehearsal, take } from "../testing/index.ts";
import { stream, textOf } from "./stream.ts";

const model = stream({ length: 20, chunks: 6, lease: 5_000 });
type Stream = typeof model;

const refused = (code: string) => ({ status: "rejected", reason: { code } });

function opened(): Rehearsal<Stream> {
  const stage = new Rehearsal(model);
  stage.command(undefined, "open", { writer: "w" });
  return stage;
}

const append = (stage: Rehearsal<Stream>, at: number, text: string) =>
  stage.command(undefined, "append", { writer: "w", at, text });

describe("a stream", () => {
  it("is written once; who comes late has the text so far", () => {
    const stage = opened();
    const early = stage.join("ann");
    append(stage, 0, "Once ");
    append(stage, 1, "upon ");
    expect(textOf(stage.join("late").view)).toBe("Once upon ");
    append(stage, 2, "a time");
    early.deliver();
    expect([textOf(early.view), textOf(early.view, 1)]).toEqual(["Once upon a time", "upon a time"]);
    stage.command(undefined, "finish", { writer: "w" });
    expect(stage.state.status.kind).toBe("finished");
    expect(append(stage, 3, "!")).toMatchObject(refused("not-open"));
    expect(stage.command("ann", "stop", {})).toMatchObject(refused("not-open"));
    expect(stage.command(undefined, "open", { writer: "w" })).toMatchObject(refused("opened"));
    stage.check();
  });

  it("takes each chunk in its place, from its writer alone", () => {
    const stage = opened();
    append(stage, 0, "a");
    expect(append(stage, 0, "a")).toMatchObject({ reason: { code: "out-of-place", next: 1 } });
    expect(append(stage, 2, "c")).toMatchObject(refused("out-of-place"));
    expect(stage.command("eve", "append", { writer: "w", at: 1, text: "b" })).toMatchObject(refused("not-yours"));
    expect(stage.command(undefined, "finish", { writer: "x" })).toMatchObject(refused("not-yours"));
    expect(append(stage, 1, "x".repeat(20))).toMatchObject(refused("too-long"));
    for (let at = 1; at < 6; at++) append(stage, at, "b");
    expect(append(stage, 6, "c")).toMatchObject({ reason: { code: "too-long", most: 6 } });
  });

  it("M24: whose writer is lost takes nothing more, then has its outcome told, then is aborted, then goes", () => {
    const stage = new Rehearsal(model);
    const parent = { once: "p", channel: "room:1", event: "message", data: { about: 1 } };
    stage.command(undefined, "open", { writer: "w", parent, keep: 1_000 });
    append(stage, 0, "Once");
    expect(model.errand(stage.state)).toBeUndefined();
    const before = stage.state;
    stage.pass(5_000);
    expect(append(stage, 1, " upon")).toMatchObject(refused("not-open"));
    const lapsed = model.events.lapsed(before, {}, { id: "e", author: undefined, time: 1 });
    const told = {
      channel: "room:1",
      user: undefined,
      event: "message",
      data: { about: 1, text: "Once", aborted: "lost" },
    };
    expect(model.errand(lapsed)).toEqual({ kind: "tell", once: "p", to: told });
    stage.pass(10);
    expect(stage.state.status).toMatchObject({ kind: "aborted", reason: "lost" });
    expect(model.errand(stage.state)).toEqual({ kind: "remove" });
    stage.check();
  });

  it("has its outcome told, and its channel removed, for the application alone", () => {
    const stage = new Rehearsal(model);
    const parent = { once: "p", channel: "room:1", model: "talk", command: "finish" };
    for (const more of [{ parent }, { keep: 0 }])
      expect(stage.command("eve", "open", { writer: "w", ...more })).toMatchObject(refused("not-yours"));
    expect(stage.command("eve", "open", { writer: "w" })).toMatchObject({ status: "accepted" });
  });

  it("is asked to stop by a reader: its writer hears of it, and ends it", () => {
    const stage = opened();
    stage.command("ann", "stop", { reason: "enough" });
    expect(stage.command("bea", "stop", {})).toMatchObject({ status: "accepted", events: [] });
    expect(stage.state).toMatchObject({ status: { kind: "open" }, stop: { by: "ann", reason: "enough" } });
    append(stage, 0, "…");
    stage.command(undefined, "abort", { writer: "w", reason: "stopped" });
    expect(stage.state.status).toMatchObject({ kind: "aborted", reason: "stopped" });
    stage.check();
  });

  it("whose writer is lost is aborted; signs of life keep it", () => {
    const stage = opened();
    for (let at = 0; at < 3; at++) {
      stage.pass(4_000);
      if (at === 1) stage.command(undefined, "renew", { writer: "w" });
      else append(stage, stage.state.count, "a");
    }
    stage.pass(4_999);
    expect(stage.state.status.kind).toBe("open");
    stage.pass(1);
    expect(stage.state.status).toMatchObject({ kind: "aborted", reason: "lost" });
    stage.check();
  });

  it("G8: is the text that was accepted, in order, and ends once, whoever sends what", () => {
    const client = fc.nat(2);
    const writer = fc.constantFrom("w", "w", "w", "x");
    const text = fc.string({ minLength: 1, maxLength: 4 });
    const next = (writer: string, skip: number, text: string) => (state: StateOf<Stream>) => ({
      writer,
      at: Math.max(0, state.count + skip),
      text,
    });
    const send = fc.oneof(
      { weight: 3, arbitrary: writer.map((writer) => ({ command: "open" as const, input: { writer } })) },
      {
        weight: 6,
        arbitrary: fc
          .tuple(writer, fc.constantFrom(0, 0, 0, 0, -1, 1), text)
          .map((args) => ({ command: "append" as const, input: next(...args) })),
      },
      { weight: 1, arbitrary: writer.map((writer) => ({ command: "renew" as const, input: { writer } })) },
      { weight: 1, arbitrary: writer.map((writer) => ({ command: "finish" as const, input: { writer } })) },
      { weight: 1, arbitrary: writer.map((writer) => ({ command: "abort" as const, input: { writer, reason: "r" } })) },
      { weight: 1, arbitrary: fc.constant({ command: "stop" as const, input: {} }) },
    );
    const step: fc.Arbitrary<Step<Stream>> = fc.oneof(
      {
        weight: 6,
        arbitrary: fc
          .record({ client, send })
          .map(({ client, send }): Step<Stream> => ({ do: "send", client, ...send })),
      },
      { weight: 6, arbitrary: client.map((client): Step<Stream> => ({ do: "serve", client })) },
      { weight: 3, arbitrary: client.map((client): Step<Stream> => ({ do: "deliver", client, count: 3 })) },
      { weight: 1, arbitrary: client.map((client): Step<Stream> => ({ do: "reload", client })) },
      { weight: 1, arbitrary: fc.nat(3_000).map((ms): Step<Stream> => ({ do: "pass", ms })) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
        const stage = new Rehearsal(model);
        for (const user of ["ann", "ann", "bea"]) stage.join(user);
        for (const one of steps) take(stage, one);
        stage.check();
        const texts = stage.events.flatMap(({ type, data }) =>
          type === "appended" ? (data as { text: string }).text : [],
        );
        expect(textOf(stage.state)).toBe(texts.join(""));
        expect(stage.state.length).toBeLessThanOrEqual(20);
        const kinds = stage.events.map(({ type }) => type);
        const end = kinds.findIndex((type) => type === "finished" || type === "aborted");
        if (end >= 0) expect(end).toBe(kinds.length - 1);
        expect(kinds.filter((type) => type === "opened").length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 150 },
    );
  });
});
