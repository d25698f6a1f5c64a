import type { Position } from "@tandem/protocol";
import { chainTag } from "@tandem/protocol";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Append, Log, LogBounds } from "../log.ts";
import { idsOf, UNBORN } from "../log.ts";
import { attempt, DAY, NOW, positionAfter, producerId } from "./attempt.contract.ts";

const BOUNDS: LogBounds = { outcomes: 3, marksAge: 10 * DAY, marksPerUser: 5 };

const CHANNELS = ["acme/room:1", "acme/room:2", "beta/room:1"] as const;
const channel = fc.constantFrom(...CHANNELS);
const producer = fc.constantFrom(
  producerId("a"),
  producerId("b", NOW - 3 * DAY),
  producerId("c", NOW - 20 * DAY),
  producerId("d", NOW + DAY),
);
const clock = fc.integer({ min: -2, max: 20 }).map((days) => NOW + days * DAY);
const offset = fc.integer({ min: 0, max: 12 });

/** A sequence number relative to the next one of its producer, so that most attempts are worth something. */
const shift = fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: -4, max: 1 }));

const model = fc.constantFrom("votes", "locks");
const fence = fc.record({ name: fc.constantFrom("locks/a", "locks/b"), token: fc.integer({ min: 0, max: 6 }) });
const raised = fc.tuple(fence, fc.boolean()).map(([fence, free]) => ({ ...fence, free }));
const keyName = fc.constantFrom("one", "two");
const decided = fc.record({
  name: model,
  /** On the model's history as it is known; else on none. */
  fresh: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false)),
  decision: fc.constantFrom("first", "second"),
  deadline: fc.option(clock, { nil: undefined }),
  fences: fc.option(fc.array(raised, { maxLength: 2 }), { nil: undefined }),
  keys: fc.option(
    fc.record({
      create: fc.array(fc.record({ name: keyName, key: fc.string({ maxLength: 4 }) }), { maxLength: 2 }),
      destroy: fc.array(keyName, { maxLength: 1 }),
    }),
    { nil: undefined },
  ),
});

const asked = fc.record({
  kind: fc.constant("append" as const),
  channel,
  producer,
  user: fc.constantFrom("ann", "bob"),
  shift,
  data: fc.array(fc.json({ maxDepth: 1 }), { maxLength: 3 }),
  refused: fc.boolean().map((first) => first && "forbidden"),
  model: fc.option(decided, { nil: undefined, freq: 2 }),
  fence: fc.option(fence, { nil: undefined, freq: 1 }),
  now: clock,
  birth: fc.stringMatching(/^[a-z]{6}$/),
});

type Asked = typeof asked extends fc.Arbitrary<infer A> ? A : never;

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("batch" as const),
      batch: fc.array(asked, { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("read" as const),
      channel,
      from: fc.oneof(
        fc.nat({ max: 20 }).map((seen) => ({ seen })),
        offset.map((at) => ({ at })),
        fc.constant("unborn" as const),
      ),
      bounds: fc.record({ events: fc.integer({ min: 1, max: 8 }), bytes: fc.integer({ min: 1, max: 60 }) }),
    }),
  },
  fc.record({
    kind: fc.constant("page" as const),
    channel,
    before: fc.option(offset, { nil: undefined }),
    limit: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({
    kind: fc.constant("trim" as const),
    channel,
    bounds: fc.record({ count: fc.nat({ max: 8 }), bytes: fc.nat({ max: 80 }), before: clock }, { requiredKeys: [] }),
  }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("snapshot" as const),
      channel,
      model,
      seen: fc.nat({ max: 20 }),
      pieces: fc.array(fc.json({ maxDepth: 1 }), { maxLength: 3 }),
    }),
  },
  fc.record({ kind: fc.constant("redact" as const), channel, offset }),
  fc.record({ kind: fc.constant("archive" as const), channel, archived: fc.boolean() }),
  fc.record({ kind: fc.constant("remove" as const), channel }),
  fc.record({ kind: fc.constant("forget" as const), now: clock.map((now) => now + 9 * DAY) }),
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Plays steps on a log and writes down all that it answers. */
async function play(log: Log, steps: readonly Step[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  const next = new Map<string, number>();
  const seen: Position[] = [];
  const tags = new Map<string, string>();

  const appendOf = (asked: Asked): Append => {
    const { channel, producer, user, shift, data, refused, model, fence, now, birth } = asked;
    const seq = Math.max(1, (next.get(`${channel} ${producer} ${user}`) ?? 1) + shift);
    const refusal = refused ? { code: refused, message: "No." } : undefined;
    const expect = (model?.fresh && tags.get(`${channel} ${model.name}`)) || "";
    return attempt({
      channel,
      producer,
      user,
      seq,
      data,
      refusal,
      model: model && { ...model, expect },
      fence,
      now,
      birth,
    });
  };
  const learn = (append: Append) => {
    if (!append.model) return;
    const name = `${append.channel} ${append.model.name}`;
    tags.set(name, idsOf(append).reduce(chainTag, tags.get(name) ?? ""));
  };

  for (const one of steps) {
    switch (one.kind) {
      case "batch": {
        const batch = one.batch.map(appendOf);
        const results = await log.append(batch);
        for (const [index, result] of results.entries()) {
          const append = batch[index] as Append;
          const { channel, producer } = append;
          if (result.kind === "committed" || result.kind === "refused") {
            next.set(`${channel} ${producer.id} ${producer.user}`, producer.seq + 1);
          }
          if (result.kind !== "committed") continue;
          seen.push(positionAfter(result));
          learn(append);
        }
        answers.push(results);
        break;
      }
      case "read": {
        const { from } = one;
        const unborn = { epoch: UNBORN, offset: 0, tag: "" };
        const after =
          from === "unborn" ? unborn : "at" in from ? from.at : (seen[from.seen % Math.max(1, seen.length)] ?? unborn);
        answers.push(await log.read(one.channel, after, one.bounds));
        break;
      }
      case "page":
        answers.push(await log.page(one.channel, one.before, one.limit));
        break;
      case "trim":
        answers.push(await log.trim(one.channel, one.bounds));
        break;
      case "snapshot": {
        const { channel, model, pieces } = one;
        const position = seen[one.seen % Math.max(1, seen.length)] ?? { epoch: UNBORN, offset: 0, tag: "" };
        const tag = tags.get(`${channel} ${model}`) ?? "";
        await log.saveSnapshot({ channel, model, version: 1, position, tag }, pieces);
        const heads = await log.snapshots(channel, model);
        answers.push(heads);
        for (const head of heads) {
          for (let index = 0; index < 4; index++) answers.push(await log.snapshotPiece(head, index));
        }
        break;
      }
      case "redact":
        answers.push(await log.redact(one.channel, one.offset));
        break;
      case "archive":
        answers.push(await log.archive(one.channel, one.archived));
        break;
      case "remove":
        answers.push(await log.remove(one.channel));
        for (const name of ["votes", "locks"]) tags.delete(`${one.channel} ${name}`);
        break;
      case "forget":
        answers.push(await log.forgetProducers(one.now));
    }
    answers.push(await log.channels(undefined, 10), await log.heads(CHANNELS), await log.deadlines(4));
    answers.push(await log.keys("acme/room:1", "votes"), await log.snapshots("acme/room:1", "votes"));
  }
  return answers;
}

/** Two logs give the same answers to whatever is asked of them. */
export function agreementContract(
  name: string,
  makeLogs: (bounds: LogBounds) => Promise<[Log, Log]>,
  runs: number,
): void {
  it(`${name} answer alike, whatever is asked`, { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const [one, other] = await makeLogs(BOUNDS);
        try {
          const answers = await play(one, steps);
          expect(await play(other, steps)).toEqual(answers);
        } finally {
          await Promise.all([one.close(), other.close()]);
        }
      }),
      { numRuns: runs },
    );
  });
}
