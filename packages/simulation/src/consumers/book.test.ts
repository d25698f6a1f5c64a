import type { Position } from "@tandem/protocol";
import { chainTag, eventId } from "@tandem/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { History } from "../history.ts";
import type { Fact } from "../ledger.ts";
import { Ledger } from "../ledger.ts";
import { Tally } from "../tally.ts";
import type { World } from "../world.ts";
import { Book } from "./book.ts";

const KEY = "acme/room:1";
const PRODUCER = "abcdefgh-0123456789012345678901";
const EPOCH = "E";

let ledger: Ledger;
let history: History;
let book: Book;

/** Stores `count` events more, as a correct log does. */
function store(count: number): void {
  for (let n = 0; n < count; n++) {
    const { offset, tag } = ledger.head(KEY);
    const seq = offset + 1;
    const event = { type: "note", version: 1, data: JSON.stringify({ n: seq }), author: "ann", trace: undefined };
    const producer = { id: PRODUCER, user: "ann", seq, digest: "" };
    const tags = [chainTag(tag, eventId(PRODUCER, seq, 0))];
    ledger.committed(
      10,
      [{ channel: KEY, producer, events: [event], now: 10, birth: EPOCH }],
      [{ kind: "committed", epoch: EPOCH, offset: seq, time: 10, tags, tagBefore: tag }],
    );
  }
}

const fact = (offset: number) => ledger.line(KEY)?.facts[offset - 1] as Fact;
const after = (offset: number): Position => ({ epoch: EPOCH, offset, tag: fact(offset).tag });
const violations = () => history.violations.map(({ text }) => text);

beforeEach(() => {
  ledger = new Ledger();
  history = new History();
  const world: Pick<World, "ledger" | "history"> & { clock: { now: number }; tally: Tally } = {
    ledger,
    history,
    clock: { now: 100 },
    tally: new Tally(),
  };
  book = new Book({ name: "mailer", key: KEY, from: "oldest", attempts: Number.POSITIVE_INFINITY }, world as World);
  store(5);
  book.newShift();
  book.loaded(undefined);
  book.begun();
  for (const offset of [1, 2]) book.handled(fact(offset));
});

describe("the book of a durable consumer", () => {
  it("lets it stand before the oldest event that was kept, also once that is handled and not stored", () => {
    ledger.trimmed(KEY, 5);
    book.reset("trimmed");
    book.stands(after(4));
    book.handled(fact(5));
    book.stands(after(4));
    book.newShift();
    book.loaded(after(4));
    expect(violations()).toEqual([]);
  });

  it("finds an event that is kept and was passed over after a reset", () => {
    ledger.trimmed(KEY, 4);
    book.reset("trimmed");
    book.handled(fact(5));
    book.stands(after(4));
    expect(violations()).toEqual([
      "mailer of acme/room:1 tells that it stands after event 4, which it has not handled",
    ]);
    expect(book.due()).toBe(fact(4));
  });

  it("lets one whose position a restored backup took back begin anew with what is kept", () => {
    ledger.trimmed(KEY, 5);
    book.newShift();
    book.loaded(undefined);
    book.stands(after(4));
    book.handled(fact(5));
    book.stands(after(4));
    expect(violations()).toEqual([]);
  });

  it("finds a place that it did not reach, where no reset was told", () => {
    ledger.trimmed(KEY, 5);
    book.stands(after(4));
    expect(violations()).toEqual([
      "mailer of acme/room:1 tells that it stands after event 4, which it has not handled",
    ]);
  });

  it.each([
    [5, []],
    [200, ["mailer of acme/room:1 has no stored position, and began long ago"]],
  ])("lets one begin anew, with what comes next, after a backup of before it began: %i", (backupAt, found) => {
    const post = { name: "mailer", key: KEY, from: "now", attempts: Number.POSITIVE_INFINITY } as const;
    const clock = { now: 8 };
    book = new Book(post, { ledger, history, clock, tally: new Tally() } as unknown as World);
    book.newShift();
    book.loaded(undefined);
    book.begun();
    ledger.restored(9, ledger.backup(backupAt));
    store(1);
    clock.now = 11;
    book.newShift();
    book.loaded(undefined);
    book.begun();
    book.stands(after(6));
    expect(violations()).toEqual(found);
    expect(book.due()).toBeUndefined();
  });

  it("finds a reset that is told though its place stands", () => {
    book.reset("trimmed");
    expect(violations()).toEqual([
      "mailer of acme/room:1 was told a reset (trimmed) though 2 of E stands and what follows it is kept",
    ]);
  });
});
