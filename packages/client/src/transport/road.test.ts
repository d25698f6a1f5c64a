import { jsonFrames } from "@tandem/protocol";
import { expect, it } from "vitest";
import { VirtualRuntime } from "../testing/virtual-runtime.ts";
import type { Connect, SocketEvents, TransportName } from "./connect.ts";
import type { OtherRoad, OtherRoadPorts } from "./http/other-road.ts";
import { chooseRoad } from "./road.ts";

/** A chooser in a world of the test's own: what it tries is listed, and told by hand how it goes. */
function stage(transports: readonly TransportName[] = ["websocket", "sse", "poll"], remembered: string | null = null) {
  const runtime = new VirtualRuntime();
  const tries: { readonly name: string; readonly events: SocketEvents; closedWith?: number }[] = [];
  const memory = {
    value: remembered,
    get: () => memory.value,
    set(value: string | null) {
      memory.value = value;
    },
  };
  const attempt = (name: string, events: SocketEvents) => {
    const tried: (typeof tries)[number] = { name, events };
    tries.push(tried);
    return {
      transport: name.split(" ")[0] as TransportName,
      send() {},
      close(code: number) {
        tried.closedWith = code;
      },
    };
  };
  const webSocket: Connect = (_url, _subprotocol, events) => attempt("websocket", events);
  const loading = { fails: false, times: 0, ports: undefined as OtherRoadPorts | undefined };
  class Road {
    constructor(ports: OtherRoadPorts) {
      loading.ports = ports;
    }
    connect(order: readonly string[], _url: string, _subprotocol: string, events: SocketEvents) {
      return attempt(order.join(" "), events);
    }
  }
  const load = async () => {
    loading.times++;
    if (loading.fails) throw new Error("gone with the last release");
    return Road as unknown as typeof OtherRoad;
  };
  const wake = { online: () => true, listen: () => () => {} };
  const chooser = () => chooseRoad(transports, { runtime, codec: jsonFrames, wake, memory, webSocket, load });
  const connect = chooser();
  const told: unknown[] = [];
  const events: SocketEvents = {
    opened: () => told.push("opened"),
    frame: (frame) => told.push(frame),
    moved: () => told.push("moved"),
    closed: (code) => told.push(code),
  };
  return {
    runtime,
    tries,
    told,
    memory,
    loading,
    chooser,
    last: () => tries.at(-1) as (typeof tries)[number],
    connect: (by: Connect = connect) => by("ws://test/ws", "tandem.v1.json", events),
  };
}

it("T6: takes a WebSocket, and loads nothing else", async () => {
  const { connect, last, told, runtime, loading, memory } = stage();
  const socket = connect();
  last().events.opened();
  last().events.frame("[1]");
  await runtime.pass(60_000);
  last().events.closed(4500, "");
  expect(told).toEqual(["opened", "[1]", 4500]);
  expect([socket.transport, loading.times, memory.value, runtime.timers]).toEqual(["websocket", 0, null, 0]);
});

it("T6: tells the first failure of a WebSocket, and takes the other road at the second in a row", async () => {
  const { connect, last, tries, told, runtime } = stage();
  connect();
  last().events.closed(1006, "");
  expect(told).toEqual([1006]);
  const socket = connect();
  last().events.closed(1006, "");
  await runtime.settle();
  expect(tries.map(({ name }) => name)).toEqual(["websocket", "websocket", "sse poll"]);
  last().events.frame("[2]");
  expect(told).toEqual([1006, "[2]"]);
  expect(socket.transport).toBe("sse");
});

it("T6: a WebSocket that worked in between makes the next failure the first one again", async () => {
  const { connect, last, told, runtime } = stage();
  for (const works of [false, true, false]) {
    connect();
    if (works) last().events.frame("[1]");
    last().events.closed(1006, "");
  }
  await runtime.settle();
  expect(told).toEqual([1006, "[1]", 1006, 1006]);
});

it("T6: a WebSocket that says nothing for five seconds is swallowed, opened or not", async () => {
  for (const opens of [false, true]) {
    const { connect, last, tries, told, runtime } = stage();
    connect();
    const [webSocket] = tries;
    if (opens) webSocket?.events.opened();
    await runtime.pass(4_999);
    expect(tries).toHaveLength(1);
    await runtime.pass(1);
    expect(webSocket?.closedWith).toBe(4000);
    expect(last().name).toBe("sse poll");
    // What it says too late is nobody's.
    webSocket?.events.frame("[late]");
    webSocket?.events.closed(1006, "");
    expect(told).toEqual(opens ? ["opened"] : []);
  }
});

it("T6: begins with what worked, in this page and in the next one, for an hour", async () => {
  const { connect, chooser, last, loading, memory, runtime } = stage();
  connect();
  await runtime.pass(5_000);
  loading.ports?.worked("poll");
  expect(memory.value).toBe(`poll ${runtime.now() + 3_600_000}`);
  last().events.closed(4003, "");
  connect();
  await runtime.settle();
  expect(last().name).toBe("poll");
  connect(chooser());
  await runtime.settle();
  expect(last().name).toBe("poll");
  await runtime.pass(3_600_000);
  connect(chooser());
  await runtime.settle();
  expect(last().name).toBe("websocket");
});

it("T6: what fails at once is not begun with again", async () => {
  const { connect, last, runtime } = stage(undefined, `sse ${Number.MAX_SAFE_INTEGER}`);
  connect();
  await runtime.settle();
  expect(last().name).toBe("sse poll");
  last().events.closed(1006, "");
  connect();
  expect(last().name).toBe("websocket");
});

it("T6: once a WebSocket opens again it is moved to, and the detour is forgotten", async () => {
  const { connect, last, memory, runtime, told } = stage(undefined, `sse ${Number.MAX_SAFE_INTEGER}`);
  connect();
  await runtime.settle();
  last().events.moved?.();
  expect([told, memory.value]).toEqual([["moved"], null]);
  connect();
  expect(last().name).toBe("websocket");
});

it("keeps to the transports it is given", async () => {
  const alone = stage(["websocket"]);
  for (let failure = 0; failure < 5; failure++) {
    alone.connect();
    await alone.runtime.pass(20_000);
    alone.last().events.closed(1006, "");
  }
  expect(alone.tries.every(({ name, closedWith }) => name === "websocket" && closedWith === undefined)).toBe(true);
  const without = stage(["poll", "sse"]);
  without.connect();
  await without.runtime.settle();
  expect(without.last().name).toBe("poll sse");
  expect(without.loading.ports?.webSocket).toBeUndefined();
});

it("a road that cannot be loaded is a connection that failed", async () => {
  const { connect, loading, told, runtime } = stage(["sse"]);
  loading.fails = true;
  connect();
  await runtime.settle();
  expect(told).toEqual([1006]);
  loading.fails = false;
  connect();
  await runtime.settle();
  expect(told).toEqual([1006]);
});

it("can be closed while the road is being loaded", async () => {
  const { connect, tries, told, runtime } = stage(["sse"]);
  connect().close(1000, "");
  await runtime.settle();
  expect([tries, told]).toEqual([[], [1000]]);
});

it("one that the client closes itself has not failed", async () => {
  const { connect, tries, last, told, runtime } = stage();
  for (let times = 0; times < 3; times++) {
    connect().close(1000, "");
    last().events.closed(1006, "");
  }
  await runtime.settle();
  expect(tries.map(({ name }) => name)).toEqual(["websocket", "websocket", "websocket"]);
  expect([told, runtime.timers]).toEqual([[1006, 1006, 1006], 0]);
});
