import type { SocketEvents } from "@tandem/client";
import { beforeEach, describe, expect, it } from "vitest";
import { PublisherWire } from "./publisher-wire.ts";

let server: SocketEvents;
let got: string[];
let wire: PublisherWire;

/** Opens a connection through the wire; what the server sends goes through `server`. */
function open() {
  const events: SocketEvents = { opened() {}, frame: (frame) => got.push(String(frame)), closed() {} };
  return wire.connect("ws://test", "tandem.v1.json", events);
}

const publishes = (from: number, to: number): string =>
  JSON.stringify(Array.from({ length: to - from + 1 }, (_, at) => ({ type: "publish", id: from + at })));
const answers = (ids: readonly number[], duplicate?: true): string =>
  JSON.stringify(ids.map((id) => ({ type: "published", id, duplicate })));

beforeEach(() => {
  got = [];
  wire = new PublisherWire((_url, _subprotocol, events) => {
    server = events;
    return { send() {}, close() {} };
  });
});

describe("PublisherWire", () => {
  it("counts what was sent and has no answer, and what was answered from marks", () => {
    open().send(publishes(1, 5));
    server.frame(answers([1, 2]));
    server.frame(answers([3], true));
    expect([wire.unacknowledged, wire.unanswered, wire.answeredFromMarks]).toEqual([2, 2, 1]);
    expect(got).toHaveLength(2);
  });

  it("holds back an answer that leaves enough unanswered, and all after it, until the next connection", () => {
    const reached: number[] = [];
    open().send(publishes(1, 5));
    wire.hold(3, () => reached.push(wire.unacknowledged, wire.unanswered));
    server.frame(answers([1, 2]));
    server.frame(answers([3]));
    expect(reached).toEqual([5, 3]);
    expect(got).toEqual([]);
    open().send(publishes(1, 5));
    server.frame(answers([1, 2], true));
    expect([got.length, wire.unacknowledged, wire.answeredFromMarks]).toEqual([1, 3, 2]);
  });

  it("lets answers pass that leave too few, and frames without answers", () => {
    let reached = false;
    const socket = open();
    socket.send(publishes(1, 4));
    wire.hold(3, () => {
      reached = true;
    });
    server.frame(answers([1, 2, 3]));
    server.frame(JSON.stringify([{ type: "ping" }]));
    expect([reached, got.length, wire.unacknowledged]).toEqual([false, 2, 1]);
    socket.send(publishes(5, 8));
    server.frame(answers([4]));
    expect([reached, got.length]).toEqual([true, 2]);
  });

  it("takes what is unacknowledged when no frame ever leaves enough unanswered", () => {
    let reached = false;
    const socket = open();
    wire.hold(2, () => {
      reached = true;
    });
    for (let id = 1; id < 402; id += 2) {
      socket.send(publishes(id, id + 1));
      server.frame(answers([id, id + 1]));
    }
    expect(reached).toBe(true);
  });
});
