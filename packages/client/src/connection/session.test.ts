import type { ServerMessage } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import { at, events } from "../testing/scripted-server.ts";
import { world } from "../testing/world.ts";

const big = "x".repeat(5_000);

async function subscribed(options: Parameters<typeof world>[0] = {}) {
  const here = world(options);
  const server = await here.connected();
  const seen: number[] = [];
  here.client.channel("room", "1").subscribe({ onEvents: (list) => seen.push(...list.map(({ offset }) => offset)) });
  await here.runtime.settle();
  await server.say({
    type: "subscribed",
    id: server.last("subscribe").id,
    channel: "room:1",
    position: at(0),
    head: 0,
  });
  await here.runtime.pass(500);
  return { ...here, server, seen };
}

describe("credit", () => {
  it("G13: tells the processed frames half a second after the first one that it has not told", async () => {
    const { runtime, server } = await subscribed();
    const told = () => server.all("received").map(({ frames }) => frames);
    const before = told();
    await server.say(events("room:1", 0, 1));
    await runtime.pass(300);
    await server.say(events("room:1", 1, 2));
    await runtime.pass(199);
    expect(told()).toEqual(before);
    await runtime.pass(1);
    expect(told()).toEqual([...before, (before.at(-1) ?? 0) + 2]);
    await runtime.pass(5_000);
    expect(told()).toHaveLength(before.length + 1);
  });

  it("G13: tells them at once after 16 KB", async () => {
    const { server } = await subscribed();
    const before = server.all("received").length;
    for (let offset = 0; offset < 3; offset++) await server.say(events("room:1", offset, offset + 1, () => big));
    expect(server.all("received")).toHaveLength(before);
    await server.say(events("room:1", 3, 4, () => big));
    expect(server.all("received")).toHaveLength(before + 1);
  });

  it("lets the count ride along with other messages, and counts the welcome as 1", async () => {
    const { client, connected, runtime } = world();
    const server = await connected();
    client.channel("room", "1").publish("message", 1);
    await runtime.settle();
    expect(server.frames.at(-1)).toMatchObject([{ type: "publish" }, { type: "received", frames: 2 }]);
    client.channel("room", "1").publish("message", 2);
    await runtime.settle();
    expect(server.frames.at(-1)?.map(({ type }) => type)).toEqual(["publish"]);
  });
});

describe("liveness", () => {
  it("answers the server's ping at once", async () => {
    const { server } = await subscribed();
    server.answersPings = false;
    await server.say({ type: "ping" });
    expect(server.frames.at(-1)?.[0]).toEqual({ type: "pong" });
  });

  it("pings after silence, and gives the connection up when silence follows", async () => {
    const { losses, runtime, server } = await subscribed();
    await runtime.pass(10_000);
    server.answersPings = false;
    const before = server.all("ping").length;
    await runtime.pass(14_499);
    expect(server.all("ping")).toHaveLength(before);
    await runtime.pass(1);
    expect(server.all("ping")).toHaveLength(before + 1);
    await runtime.pass(9_999);
    expect(losses).toEqual([]);
    await runtime.pass(1);
    expect(losses).toEqual(["ping-timeout"]);
    expect(server.closedWith).toBe(4000);
  });

  it("any message is a sign of life", async () => {
    const { client, runtime, server } = await subscribed();
    server.answersPings = false;
    for (let offset = 0; offset < 20; offset++) {
      await runtime.pass(20_000);
      await server.say(events("room:1", offset, offset + 1));
    }
    expect(client.status.get().kind).toBe("connected");
  });

  it("measures the latency", async () => {
    const { client, connected, runtime } = world();
    const server = await connected();
    server.answersPings = false;
    await server.say({ type: "ping" });
    await runtime.pass(42);
    await server.say({ type: "pong", time: runtime.now() });
    expect(client.status.get()).toMatchObject({ kind: "connected", latency: 42 });
  });

  it("gives up a server that answers pings and nothing else", async () => {
    const { client, losses, runtime } = await subscribed();
    client.channel("room", "1").publish("message", 1);
    await runtime.pass(60_000);
    expect(losses).toEqual([]);
    await runtime.pass(30_000);
    expect(losses[0]).toBe("ping-timeout");
  });
});

describe("frames", () => {
  it.each([
    "no json",
    "{}",
    '["text"]',
    "[null]",
    '[{"type":"events","channel":"room:1","from":0}]',
    '[{"type":"events","channel":"room:1","from":0,"to":1,"tag":"t","events":[{"offset":1}]}]',
    '[{"type":"published","id":1}]',
    '[{"type":"error","code":"internal"}]',
    '[{"type":"reset","channel":"room:1","position":{"epoch":"e1","offset":-1,"tag":""},"reason":"epoch"}]',
  ])("a malformed frame is a broken connection: %s", async (frame) => {
    const { client, server, seen } = await subscribed();
    await server.raw(frame);
    expect(client.status.get()).toMatchObject({ kind: "reconnecting", reason: "bad-frame" });
    expect(server.closedWith).toBe(4000);
    expect(seen).toEqual([]);
  });

  it("nothing of a frame is taken when one of its messages is malformed", async () => {
    const { server, seen } = await subscribed();
    await server.say(events("room:1", 0, 1), { type: "pong", time: "now" });
    expect(seen).toEqual([]);
  });

  it("messages of a type that it does not know are passed over", async () => {
    const { client, server, seen } = await subscribed();
    await server.say({ type: "signal", anything: 1 }, events("room:1", 0, 1));
    expect(client.status.get().kind).toBe("connected");
    expect(seen).toEqual([1]);
  });

  it("everything due in a turn goes out as one frame, within the server's limits", async () => {
    const { client, connected, runtime } = world();
    const server = await connected({ limits: { frameMessages: 3 } });
    const room = client.channel("room", "1");
    room.subscribe({ onEvents: () => {} });
    for (let index = 0; index < 4; index++) room.publish("message", index);
    const before = server.frames.length;
    await runtime.settle();
    expect(server.frames.slice(before).map((frame) => frame.map(({ type }) => type))).toEqual([
      ["subscribe", "publish", "publish"],
      ["publish", "publish", "received"],
    ]);
  });

  it("no frame is longer than the limit, in bytes", async () => {
    const { client, connected, runtime } = world();
    const server = await connected({ limits: { frameBytes: 4_096 } });
    const before = server.frames.length;
    for (let index = 0; index < 6; index++) client.channel("room", "1").publish("message", "ü".repeat(700));
    await runtime.settle();
    const frames = server.frames.slice(before);
    expect(frames.map((frame) => frame.filter(({ type }) => type === "publish").length)).toEqual([2, 2, 2]);
    for (const frame of frames)
      expect(new TextEncoder().encode(JSON.stringify(frame)).length).toBeLessThanOrEqual(4_096);
  });
});

describe("requests", () => {
  it("those that the server dropped with a token no longer count", async () => {
    const { client, connected, runtime } = world({ token: () => "t1" });
    const server = await connected({ limits: { requests: 3 } });
    for (let index = 0; index < 2; index++) client.channel("room", `${index}`).subscribe({ onEvents: () => {} });
    await runtime.settle();
    await server.say({ type: "error", code: "needs-auth", message: "Over.", retryable: true });
    await server.welcome({ id: server.last("refresh").id, limits: { requests: 3 } });
    expect(server.all("subscribe")).toHaveLength(4);
  });

  it("no more wait for their answer than the server's limit, less the one that is kept for a refresh", async () => {
    const { client, connected, runtime } = world();
    const server = await connected({ limits: { requests: 4 } });
    for (let index = 0; index < 10; index++) client.channel("room", `${index}`).subscribe({ onEvents: () => {} });
    await runtime.settle();
    expect(server.all("subscribe")).toHaveLength(3);
    const answer = ({ id, channel }: { id: number; channel: string }): ServerMessage => {
      return { type: "subscribed", id, channel, position: at(0), head: 0 };
    };
    await server.say(...server.all("subscribe").slice(0, 2).map(answer));
    expect(server.all("subscribe")).toHaveLength(5);
    await server.say(...server.all("subscribe").slice(2).map(answer));
    await server.say(...server.all("subscribe").slice(5).map(answer));
    await server.say(...server.all("subscribe").slice(8).map(answer));
    expect(new Set(server.all("subscribe").map(({ channel }) => channel)).size).toBe(10);
  });
});
