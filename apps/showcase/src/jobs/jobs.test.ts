import type { Job, JobState } from "@tandem/model";
import { describe, expect, it } from "vitest";
import { jobs as definition } from "../room-models.ts";
import { FakeModel, names } from "../tools/model.fixture.ts";
import { countWords } from "./count-words.ts";
import { Jobs } from "./jobs.ts";
import { wordCountWords } from "./word-count.ts";

/** A room in which these were said; between them, other events. */
function pagesOf(texts: readonly string[]) {
  const events = texts.flatMap((text, index) => [
    { type: "message", offset: index * 2 + 1, data: { text } },
    { type: "votes.cast", offset: index * 2 + 2, data: {} },
  ]);
  const asked: (number | undefined)[] = [];
  return {
    asked,
    history: async (
      channel: string,
      { before = events.length + 1, limit = 100 }: { before?: number; limit?: number },
    ) => {
      expect(channel).toBe("room:lobby");
      asked.push(before);
      const page = events.filter(({ offset }) => offset < before).slice(-limit);
      const first = page[0]?.offset ?? 1;
      return { events: page, next: first > 1 ? first : undefined };
    },
  };
}

function work(job: Partial<Job> = {}) {
  const told: { fraction: number; checkpoint: unknown }[] = [];
  const controller = new AbortController();
  const progress = (fraction: number, { checkpoint }: { checkpoint?: unknown } = {}) =>
    told.push({ fraction, checkpoint });
  return {
    told,
    controller,
    given: { input: { room: "lobby" }, job: job as Job, signal: controller.signal, progress },
  };
}

const TEXTS = Array.from({ length: 40 }, (_, index) => `word ${index} – again`);

describe("counting words", () => {
  it("goes through every page once, further each time", async () => {
    const pages = pagesOf(TEXTS);
    const { given, told } = work();
    const result = await countWords(pages, async () => {})(given as never);
    expect(result).toEqual({ messages: 40, words: 120 });
    expect(pages.asked).toHaveLength(4);
    const fractions = told.map(({ fraction }) => fraction);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
  });

  it("goes on where an attempt before it was lost: nothing is counted twice", async () => {
    const first = work();
    const lost = countWords(pagesOf(TEXTS), async () => {
      if (first.told.length === 2) first.controller.abort(new Error("lost"));
    });
    await expect(lost(first.given as never)).rejects.toThrow("lost");
    const pages = pagesOf([...TEXTS, "said meanwhile"]);
    const second = work({ checkpoint: first.told.at(-1)?.checkpoint });
    expect(await countWords(pages, async () => {})(second.given as never)).toEqual({ messages: 40, words: 120 });
    expect(pages.asked).toHaveLength(2);
  });

  it("counts nothing in an empty room, and takes no job without a room", async () => {
    const run = countWords(pagesOf([]), async () => {});
    expect(await run(work().given as never)).toEqual({ messages: 0, words: 0 });
    await expect(run({ ...work().given, input: { room: "../x" } } as never)).rejects.toThrow("names no room");
    expect(wordCountWords({ messages: 1, words: 1 })).toBe("1 word in 1 message");
  });
});

/** Under which a worker holds a job. */
function tokenOf({ state }: FakeModel<typeof definition>, id: string): number {
  const now = state.get();
  return now.kind === "ready" ? ((now.value as JobState).jobs.get(id)?.token ?? 0) : 0;
}

describe("the jobs of a room", () => {
  it("are shown from the start to their end, those of other rooms not", () => {
    const model = new FakeModel(definition);
    const jobs = new Jobs({ model: model.port, room: "lobby", names });
    jobs.countWords();
    expect(jobs.get()).toMatchObject({ starting: "queued", rows: [{ kind: "waiting", by: "You", canCancel: true }] });
    model.answer();
    model.by("ada", "start", { title: "Hers", input: { room: "elsewhere" } });
    const id = jobs.get().rows[0]?.id ?? "";
    model.by("worker", "claim", { worker: "w", job: id });
    model.time += 2_000;
    model.by("worker", "progress", {
      job: id,
      token: tokenOf(model, id),
      progress: 0.4,
      text: "8 words in 2 messages",
    });
    expect(jobs.get().rows).toMatchObject([{ words: "40 %: 8 words in 2 messages", progress: 0.4, isOver: false }]);
    jobs.cancel(id);
    expect(jobs.get().rows[0]).toMatchObject({ kind: "cancelling", stage: "queued", canCancel: false });
    model.answer();
    model.by("worker", "release", { job: id, token: tokenOf(model, id) });
    expect(jobs.get().rows[0]).toMatchObject({ words: "Cancelled by you", isOver: true, stage: undefined });
    jobs.cancel(id);
    model.answer();
    expect(jobs.get().refusals.map(({ words }) => words)).toEqual([
      "Cancelling the job was refused. It was over by then.",
    ]);
  });

  it("tell their result", () => {
    const model = new FakeModel(definition);
    const jobs = new Jobs({ model: model.port, room: "lobby", names });
    jobs.countWords();
    model.answer();
    const id = jobs.get().rows[0]?.id ?? "";
    model.by("worker", "claim", { worker: "w", job: id });
    model.by("worker", "complete", { job: id, token: tokenOf(model, id), result: { messages: 2, words: 8 } });
    expect(jobs.get().rows[0]).toMatchObject({ words: "8 words in 2 messages", kind: "completed" });
  });
});
