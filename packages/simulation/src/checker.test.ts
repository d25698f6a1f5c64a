import type { Position } from "@tandem/protocol";
import { chainTag, eventId } from "@tandem/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { check } from "./checker.ts";
import type { Reader } from "./history.ts";
import { History } from "./history.ts";
import { Ledger } from "./ledger.ts";

const CHANNEL = "acme/room:1";
const PRODUCER = "abcdefgh-0123456789012345678901";
const START: Position = { epoch: "-", offset: 0, tag: "" };

let ledger: Ledger;
let history: History;

beforeEach(() => {
  ledger = new Ledger();
  history = new History();
});

const body = (n: number) => JSON.stringify({ n, about: n % 2, text: "x" });

/** Stores publish `n` as the next event, as a correct log does. */
function store(n: number, channel = CHANNEL, at = 10, data = body(n)): Position {
  const { epoch, offset, tag } = ledger.head(channel);
  const id = eventId(PRODUCER, n, 0);
  const position = { epoch: epoch === "-" ? `E${channel.length}` : epoch, offset: offset + 1, tag: chainTag(tag, id) };
  const event = { type: "note", version: 1, data, author: "ann", trace: undefined };
  const producer = { id: PRODUCER, user: "ann", seq: n, digest: "" };
  ledger.committed(
    at,
    [{ channel, producer, events: [event], now: at, birth: position.epoch }],
    [
      {
        kind: "committed",
        epoch: position.epoch,
        offset: position.offset,
        time: at,
        tags: [position.tag],
        tagBefore: tag,
      },
    ],
  );
  return position;
}

function publish(by = "ann-1", channel = CHANNEL, due?: "forbidden") {
  const n = history.number();
  const asked = history.invoke({ n, by, channel, data: body(n), invokedAt: n, due });
  asked.statuses.push("queued", "sent");
  return asked;
}

function acknowledge(asked: ReturnType<typeof publish>, position: Position, at = 20): void {
  asked.statuses.push("durable");
  history.settle(asked, at, { kind: "ok", position });
}

function show(reader: Reader, n: number, offset: number, data: unknown = JSON.parse(body(n))): void {
  reader.given.push({ kind: "event", at: 30, offset, id: eventId(PRODUCER, n, 0), data });
}

function begin(position = START, reset = false, user: string | undefined = "bob"): Reader {
  const reader = history.reader("bob-1", user, CHANNEL);
  reader.given.push({ kind: "start", at: 5, position, reset });
  return reader;
}

function rules(): string[] {
  check(history, ledger, 100);
  return history.violations.map((violation) => violation.rule);
}

describe("the checker", () => {
  it("finds nothing in a history that is right", () => {
    const reader = begin();
    for (let n = 1; n <= 3; n++) {
      acknowledge(publish(), store(n));
      show(reader, n, n);
    }
    reader.given.push({ kind: "stand", at: 90, position: ledger.head(CHANNEL) });
    expect(rules()).toEqual([]);
  });

  it("G1: an acknowledged publish that is not stored", () => {
    acknowledge(publish(), { epoch: "E", offset: 1, tag: "zzzz" });
    expect(rules()).toEqual(["G1"]);
  });

  it("G1: an acknowledgement before the commit", () => {
    acknowledge(publish(), store(1, CHANNEL, 50), 20);
    expect(rules()).toEqual(["G1"]);
  });

  it("G1: another body under an id that a restored backup gave back was not committed with the first one", () => {
    const backup = ledger.backup(5);
    store(1, CHANNEL, 10);
    ledger.restored(15, backup);
    acknowledge(publish(), store(1, CHANNEL, 30), 20);
    expect(rules()).toEqual([]);
    ledger.restored(35, backup);
    history.number();
    const other = publish();
    acknowledge(other, store(1, CHANNEL, 60, body(other.n)), 50);
    expect(rules()).toEqual(["G1"]);
  });

  it("G1: what a restored backup took back is excused, what it held is not", () => {
    acknowledge(publish(), store(1));
    const backup = ledger.backup(15);
    acknowledge(publish(), store(2));
    ledger.restored(25, backup);
    expect(rules()).toEqual([]);
    ledger.restored(26, { at: 0, serial: 1, lines: new Map() });
    expect(rules()).toEqual(["G1"]);
  });

  it("G2: a publish that is stored twice", () => {
    const asked = publish();
    acknowledge(asked, store(1));
    store(1);
    expect(rules()).toContain("G2");
  });

  it("G2: another body than was asked for", () => {
    const n = history.number();
    history.settle(
      history.invoke({
        n,
        by: "ann-1",
        channel: CHANNEL,
        data: '{"n":1,"text":"other"}',
        invokedAt: 1,
        due: undefined,
      }),
      20,
      { kind: "ok", position: store(n) },
    );
    expect(rules()).toContain("G2");
  });

  it("G3: an event left out, given twice, or out of order", () => {
    for (let n = 1; n <= 3; n++) store(n);
    const gap = begin();
    show(gap, 1, 1);
    show(gap, 3, 3);
    expect(rules()).toEqual(["G3"]);
    const twice = begin();
    show(twice, 1, 1);
    show(twice, 1, 1);
    expect(rules()).toHaveLength(3);
    const swapped = begin();
    show(swapped, 2, 2);
    expect(rules().every((rule) => rule === "G3")).toBe(true);
  });

  it("G3: a reader that goes on elsewhere without a reset", () => {
    for (let n = 1; n <= 3; n++) store(n);
    const silent = begin();
    silent.given.push({ kind: "start", at: 40, position: ledger.head(CHANNEL), reset: false });
    expect(rules()).toEqual(["G3"]);
  });

  it("G3: a reader that was told a reset may go on elsewhere", () => {
    for (let n = 1; n <= 3; n++) store(n);
    const told = begin();
    told.given.push({ kind: "start", at: 40, position: ledger.head(CHANNEL), reset: true });
    expect(rules()).toEqual([]);
  });

  it("G3: a history that was rewritten under a reader", () => {
    store(1);
    const backup = ledger.backup(15);
    store(2);
    const reader = begin();
    show(reader, 1, 1);
    show(reader, 2, 2);
    ledger.restored(40, backup);
    store(3);
    store(4);
    show(reader, 4, 3);
    expect(rules()).toEqual(["G3"]);
  });

  it("G3: other data than the log has", () => {
    store(1);
    show(begin(), 1, 1, { n: 1, text: "y" });
    expect(rules()).toEqual(["G3"]);
  });

  it("G3: a reader that does not reach the head", () => {
    store(1);
    store(2);
    const reader = begin();
    show(reader, 1, 1);
    reader.given.push({ kind: "stand", at: 90, position: ledger.head(CHANNEL) });
    expect(rules()).toEqual(["G3"]);
  });

  it("D11: an event that a filter does not ask for, or one that it does and that was left out", () => {
    for (let n = 1; n <= 4; n++) store(n);
    const filtered = () => {
      const reader = history.reader("bob-1", "bob", CHANNEL, { where: { about: 0 } });
      reader.given.push({ kind: "start", at: 5, position: START, reset: false });
      return reader;
    };
    const right = filtered();
    show(right, 2, 2);
    show(right, 4, 4);
    expect(rules()).toEqual([]);
    show(filtered(), 4, 4);
    expect(rules()).toEqual(["G3"]);
    show(filtered(), 1, 1);
    expect(rules().length).toBeGreaterThan(2);
    expect(history.violations.map(({ text }) => text).join()).toContain("none that bob's filter asks for");
  });

  it("D12: where only the latest counts, an event may be left out for a newer one of its key, and for nothing else", () => {
    for (let n = 1; n <= 4; n++) store(n, "acme/ticker:1");
    const reader = () => {
      const begun = history.reader("bob-1", "bob", "acme/ticker:1");
      begun.given.push({ kind: "start", at: 5, position: START, reset: false });
      return begun;
    };
    const right = reader();
    show(right, 3, 3);
    show(right, 4, 4);
    expect(rules()).toEqual([]);
    const older = reader();
    show(older, 4, 4);
    expect(rules()).toEqual(["G3"]);
  });

  it("G4: a read that does not show the reader's own acknowledged write", () => {
    const position = store(1);
    acknowledge(publish("bob-1"), position);
    const read = { by: "bob-1", channel: CHANNEL, answeredAt: 40, epoch: position.epoch, from: 1, shown: [] };
    history.reads.push({ ...read, invokedAt: 15 });
    expect(rules()).toEqual([]);
    history.reads.push({ ...read, invokedAt: 30 });
    expect(rules()).toEqual(["G4"]);
  });

  it("G5: one client's publishes stored in another order", () => {
    const first = publish();
    const second = publish();
    acknowledge(second, store(2));
    acknowledge(first, store(1));
    expect(rules()).toEqual(["G5"]);
  });

  it("G10: an event that went to another channel, or was shown to eyes it is not for", () => {
    const asked = publish();
    history.settle(asked, 20, { kind: "unknown", code: "crash" });
    store(1, "other/room:1");
    expect(rules()).toEqual(["G10"]);
  });

  it("G14: a publish that was refused and is stored, or that was stored and should have been refused", () => {
    const refused = publish();
    refused.statuses.push("rejected");
    history.settle(refused, 20, { kind: "fail", code: "forbidden" });
    store(1);
    expect(rules()).toEqual(["G14"]);
    acknowledge(publish("ann-1", CHANNEL, "forbidden"), store(2));
    expect(rules()).toContain("G14");
  });

  it("G14: a publish that was never settled, or settled twice, or whose status moves after its end", () => {
    publish();
    expect(rules()).toEqual(["G14"]);
    const twice = publish();
    acknowledge(twice, store(2));
    history.settle(twice, 50, { kind: "fail", code: "forbidden" });
    expect(history.violations.at(-1)?.text).toContain("settled twice");
    twice.statuses.push("sent");
    expect(rules().filter((rule) => rule === "G14").length).toBeGreaterThan(2);
  });
});
