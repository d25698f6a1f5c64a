import { TandemError } from "@tandem/client";
import { Cell } from "@tandem/runtime";
import { describe, expect, it } from "vitest";
import { LOCK_MS, locks as lockDefinition, NOTE_LOCK, note as noteDefinition } from "../room-models.ts";
import { FakeModel, names } from "../tools/model.fixture.ts";
import { Note } from "./note.ts";

function open() {
  const text = new FakeModel(noteDefinition);
  const locks = new FakeModel(lockDefinition);
  const note = new Note({
    note: text.port,
    locks: locks.port,
    self: new Cell("me"),
    names,
    owner: "window",
    now: () => locks.time,
  });
  const hers = (command: string, input: object = {}) => locks.by("ada", command, { lock: NOTE_LOCK, ...input });
  return { text, locks, note, hers, kind: () => note.get().lock.kind };
}

function writing() {
  const opened = open();
  opened.note.take();
  opened.locks.answer();
  return opened;
}

describe("the note", () => {
  it("is the reader's when the server says so, not before", () => {
    const { locks, note, kind } = open();
    expect(kind()).toBe("free");
    note.take();
    expect(note.get().lock).toEqual({ kind: "asking", stage: "queued" });
    locks.answer();
    expect(note.get().lock).toMatchObject({ kind: "mine", until: 1_000 + LOCK_MS });
  });

  it("is written under the lock's token, and let go", () => {
    const { text, locks, note, kind } = writing();
    const { lock } = note.get();
    note.write("Buy tea");
    expect(note.get().changed).toBe(true);
    note.finish();
    expect(text.fence).toBe(lock.kind === "mine" ? lock.token : "none");
    expect(note.get()).toMatchObject({ text: "Buy tea", saving: "queued", changed: false });
    text.answer();
    locks.answer();
    expect(kind()).toBe("free");
    expect(note.get()).toMatchObject({ by: "You", saving: undefined });
  });

  it("is waited for in line, and its holder sees who asks", () => {
    const { locks, note, hers } = open();
    hers("acquire", { owner: "hers" });
    note.take();
    expect(locks.sent).toEqual(["acquire", "request"]);
    locks.answer();
    expect(note.get().lock).toMatchObject({ kind: "held", by: "ada!", place: 1, waiting: ["You"] });
    hers("release", { owner: "hers" });
    expect(note.get().lock.kind).toBe("mine");
    note.leave();
  });

  it("is handed over to one who asks, with what was written", () => {
    const { text, locks, note, hers } = writing();
    hers("acquire", { owner: "hers" });
    hers("request");
    expect(note.get().lock).toMatchObject({ asking: [{ user: "ada", name: "ada!" }], waiting: ["ada!"] });
    note.write("half a line");
    note.handOver("ada");
    text.answer();
    locks.answer();
    expect(note.get().lock).toMatchObject({ kind: "held", by: "ada!", elsewhere: false });
    expect(note.get().text).toBe("half a line");
  });

  it("lets refusals of the text and of the lock be dismissed one by one", () => {
    const { text, locks, note } = writing();
    note.write("Buy tea");
    note.finish();
    text.refuse(new TandemError("forbidden", "No right to write."));
    locks.refuse(new TandemError("forbidden", "No right to the lock."));
    const [first, second] = note.get().refusals;
    note.dismiss(first?.key ?? "");
    expect(note.get().refusals).toEqual([second]);
  });

  it("G8: keeps what a stale holder wrote, though the server refuses it, for the next turn", () => {
    const { text, locks, note, hers } = writing();
    note.write("too late");
    note.save();
    locks.time += LOCK_MS + 1;
    hers("acquire", { owner: "hers" });
    text.refuse(new TandemError("stale-fence", "The lock has a newer token."));
    expect(note.get()).toMatchObject({ text: "", changed: true, lock: { kind: "held" } });
    expect(note.writing.get()).toBe("too late");
    expect(note.get().refusals.map(({ words }) => words)).toEqual([
      "What you wrote was refused. Somebody else had taken over by then.",
    ]);
    hers("release", { owner: "hers" });
    note.take();
    locks.answer();
    expect(note.writing.get()).toBe("too late");
    note.save();
    text.answer();
    expect(note.get()).toMatchObject({ text: "too late", changed: false });
  });

  it("begins with what stands there, and what was not saved can be forgotten", () => {
    const { text, locks, note } = open();
    text.by("ada", "write", { text: "hers" });
    note.take();
    locks.answer();
    expect(note.writing.get()).toBe("hers");
    note.write("mine");
    note.discard();
    expect([note.writing.get(), note.get().changed]).toEqual(["hers", false]);
  });

  it("is kept by writing on: one renewal at a time, not with every letter", async () => {
    const { locks, note } = writing();
    note.write("a");
    locks.answer();
    await Promise.resolve();
    const before = locks.sent.length;
    note.write("ab");
    expect(locks.sent).toHaveLength(before);
    locks.time += LOCK_MS / 2;
    note.write("abc");
    note.write("abcd");
    expect(locks.sent).toEqual(["renew"]);
    locks.answer();
    expect(note.get().lock).toMatchObject({ kind: "mine", until: locks.time + LOCK_MS });
  });

  it("tells the reader's other window apart", () => {
    const { locks, note } = open();
    locks.by("me", "acquire", { lock: NOTE_LOCK, owner: "other" });
    expect(note.get().lock).toMatchObject({ kind: "held", elsewhere: true });
  });
});
