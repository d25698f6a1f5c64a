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
    expect([wire.unacknowledged, wire.answeredFromMarks]).toEqual([2, 1]);
    expect(got).toHaveLength(2);
  });

  it("cuts with answers on their way: neither they nor what follows arrives, until the next connection", () => {
    const reached: number[] = [];
    open().send(publishes(1, 5));
    wire.cut("answers", 3, () => reached.push(wire.unacknowledged));
    server.frame(JSON.stringify([{ type: "ping" }]));
    server.frame(answers([1, 2]));
    server.frame(answers([3]));
    expect(reached).toEqual([5]);
    expect([got.length, wire.unacknowledged]).toEqual([1, 5]);
    open().send(publishes(1, 5));
    server.frame(answers([1, 2], true));
    expect([got.length, wire.unacknowledged, wire.answeredFromMarks]).toEqual([2, 3, 2]);
  });

  it("lets answers pass while too few are unacknowledged", () => {
    let reached = false;
    open().send(publishes(1, 4));
    wire.cut("answers", 5, () => {
      reached = true;
    });
    server.frame(answers([1, 2]));
    expect([reached, got.length, wire.unacknowledged]).toEqual([false, 1, 2]);
  });

  it("cuts with publishes on their way: as soon as enough went out in one frame", () => {
    const reached: number[] = [];
    const socket = open();
    wire.cut("publishes", 3, () => reached.push(wire.unacknowledged));
    socket.send(publishes(1, 2));
    server.frame(answers([1]));
    expect(reached).toEqual([]);
    socket.send(publishes(3, 5));
    server.frame(answers([2]));
    expect(reached).toEqual([4]);
    expect([got.length, wire.unacknowledged]).toEqual([1, 4]);
  });

  it("takes what is unacknowledged when no frame ever is large enough", () => {
    let reached = 0;
    const socket = open();
    wire.cut("publishes", 2, () => {
      reached = wire.unacknowledged;
    });
    for (let id = 1; id <= 201; id++) {
      socket.send(publishes(id, id));
      if (id < 200) server.frame(answers([id]));
    }
    expect(reached).toBe(2);
  });
});
