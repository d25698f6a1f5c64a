import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { frame, TEXT } from "./raw-socket.fixture.ts";
import { stage, token } from "./stage.fixture.ts";

const PRODUCER = `${Date.now().toString(36).padStart(8, "0")}-${"e".repeat(22)}`;

describe("exhaustion", { timeout: 120_000 }, () => {
  it("G11: of 10,000 subscriptions as many stand as may, and each over it is told so", async () => {
    const world = await stage();
    const client = await world.enter();
    for (let first = 0; first < 10_000; first += 200) {
      client.say(
        ...Array.from({ length: 200 }, (_, at) => ({
          type: "subscribe",
          id: first + at + 2,
          channel: `room:${first + at}`,
        })),
      );
    }
    await client.until(() => client.frames.length > 1 && client.messages.length >= 10_001);
    const codes = Map.groupBy(client.messages.slice(1), ({ type, code }) => code ?? type);
    expect([...codes.keys()].sort()).toEqual(
      [...codes.keys()]
        .filter((code) => ["subscribed", "too-many-subscriptions", "too-many-requests"].includes(`${code}`))
        .sort(),
    );
    expect(codes.get("subscribed")?.length).toBeLessThanOrEqual(1_000);
  });

  it("G11: 1,000 sockets of one user are served or turned away, and go without a trace", async () => {
    const world = await stage();
    const sockets = await Promise.all(Array.from({ length: 1_000 }, () => world.knock()));
    const states = new Set(await Promise.all(sockets.map((socket) => socket.status())));
    for (const status of states) expect([101, 429, 503]).toContain(status);
    for (const { socket } of sockets) socket.resetAndDestroy();
    await expect.poll(() => world.server.connections, { timeout: 20_000 }).toBe(1);
  });

  it("C9, G11: of 300 sockets of one user as many are admitted as may be; each other is told when to come back, and closed 4502", async () => {
    const world = await stage({ limits: { connectionsPerUser: 50 } });
    const hello = { type: "hello", id: 1, token: await token("mallory") };
    const sockets = await Promise.all(Array.from({ length: 300 }, () => world.open()));
    const answers = await Promise.all(
      sockets.map((socket) => {
        socket.say(hello);
        return socket.told(1);
      }),
    );
    expect(answers.filter((answer) => answer?.type === "welcome")).toHaveLength(50);
    const refused = sockets.filter((_, at) => answers[at]?.type !== "welcome");
    expect(answers.find((answer) => answer?.type === "error")).toMatchObject({
      code: "too-many-connections",
      retryAfter: expect.any(Number),
    });
    for (const socket of refused) expect(await socket.closed()).toEqual({ code: 4502, reason: "too-many-connections" });
    await world.enter("ada");
  });

  it("W8, G11: publishes over the rate are told when to come back, and none of them reaches the log", async () => {
    const world = await stage({ limits: { publishesPerConnection: 300 } });
    const client = await world.enter();
    // Retries of one and the same publish, which the log would answer again and again.
    const publish = (id: number) => ({
      type: "publish",
      id,
      channel: "room:1",
      event: "message",
      data: { text: "again" },
      producer: PRODUCER,
      seq: 1,
    });
    const count = 2_000;
    for (let id = 2; id < count + 2; id += 100) client.say(...Array.from({ length: 100 }, (_, at) => publish(id + at)));
    await client.until(() => client.messages.length > count);
    const codes = Map.groupBy(client.messages.slice(1), ({ type, code }) => code ?? type);
    expect(codes.get("rate-limited")?.[0]).toMatchObject({ retryable: true, retryAfter: expect.any(Number) });
    expect(codes.get("published")?.length).toBeLessThan(count / 2);
    expect((await world.server.application().history("room:1")).events).toHaveLength(1);
  });

  it("G11: more sockets than the server takes are turned away with 503 and a hint, and those who stand stay", async () => {
    const world = await stage({ maxConnections: 10 });
    const sockets = Array.from({ length: 50 }, () => world.knock());
    const states = await Promise.all(sockets.map((socket) => socket.status()));
    expect(states.filter((status) => status === 101)).toHaveLength(9);
    expect(states.filter((status) => status === 503)).toHaveLength(41);
    const turned = sockets[states.indexOf(503)];
    expect(await turned?.end()).toMatch(/\r\nRetry-After: \d+\r\n/);
  });

  it("G11, G13: who asks and asks and does not read is cut, and what waits for it is bounded", async () => {
    const world = await stage();
    const text = "x".repeat(20_000);
    for (let at = 0; at < 40; at++) await world.server.application().publish("room:big", "message", { text });
    const client = await world.enter();
    client.socket.pause();
    const before = process.memoryUsage().rss;
    client.say({ type: "subscribe", id: 2, channel: "room:big", from: { last: 40 } });
    for (let id = 3; id < 2_000 && !client.ended; id++) {
      client.say({ type: "history", id, channel: "room:big", limit: 40 });
      if (id % 50 === 0) await world.control.served(1);
    }
    await world.control.served(20);
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
  });

  it("G11: a flood of publishes is held to what may be in flight, and settles", async () => {
    const world = await stage();
    const client = await world.enter();
    const publish = (seq: number) => ({
      type: "publish",
      id: seq + 1,
      channel: "room:1",
      event: "message",
      data: { text: `${seq}` },
      producer: PRODUCER,
      seq,
    });
    const count = 5_000;
    for (let seq = 1; seq <= count; seq += 100) {
      client.write(frame(TEXT, JSON.stringify(Array.from({ length: 100 }, (_, at) => publish(seq + at)))));
    }
    await client.until(() => client.messages.length >= count + 1);
    const codes = new Set(client.messages.slice(1).map(({ type, code }) => code ?? type));
    for (const code of codes)
      expect(["published", "too-many-requests", "out-of-sequence", "rate-limited"]).toContain(code);
    const stored = await world.server.application().history("room:1", { limit: 500 });
    expect(stored.events.length).toBe(Math.min(500, client.messages.filter(({ type }) => type === "published").length));
  });

  it("G11, G12: who publishes at full speed for seconds and never waits stores what its rate allows, and keeps nobody else", async () => {
    const world = await stage();
    const client = await world.enter();
    client.socket.removeAllListeners("data");
    let [stored, refused, text] = [0, 0, ""];
    client.socket.on("data", (bytes) => {
      text = text.slice(-100) + bytes.toString("latin1");
      for (const [, offset] of text.matchAll(/"offset":(\d+),"tag/g)) stored = Math.max(stored, Number(offset));
      if (bytes.includes("rate-limited")) refused++;
    });
    const began = performance.now();
    let seq = 0;
    while (performance.now() - began < 4_000) {
      // Each time from the first that was not stored, as one who has a queue would.
      const from = stored;
      const messages = Array.from({ length: 200 }, (_, at) => ({
        type: "publish",
        id: ++seq + 1,
        channel: "room:1",
        event: "message",
        data: { text: `${from + at + 1}` },
        producer: PRODUCER,
        seq: from + at + 1,
      }));
      if (!client.socket.write(frame(TEXT, JSON.stringify(messages)))) await once(client.socket, "drain");
      await setImmediate();
    }
    await world.control.served(50);
    const seconds = (performance.now() - began) / 1_000;
    expect(client.ended).toBe(false);
    expect(stored).toBeLessThanOrEqual(500 * (seconds + 1));
    expect(refused).toBeGreaterThan(0);
    expect(stored).toBeGreaterThanOrEqual(500);
    const { events } = await world.server.application().history("room:1", { limit: 500 });
    const last = events.at(-1)?.offset ?? 0;
    expect(events.map(({ data }) => data)).toEqual(
      Array.from({ length: 500 }, (_, at) => ({ text: `${last - 499 + at}` })),
    );
  });

  it("G11: a flood of requests for history is held to what may wait", async () => {
    const world = await stage();
    await world.server.application().publish("room:1", "message", { text: "x".repeat(10_000) });
    const client = await world.enter();
    for (let id = 2; id < 5_002; id += 500) {
      client.say(
        ...Array.from({ length: 500 }, (_, at) => ({ type: "history", id: id + at, channel: "room:1", limit: 500 })),
      );
    }
    const acknowledging = setInterval(() => client.say({ type: "received", frames: client.frames.length }), 50);
    await client.until(() => client.messages.length >= 5_001);
    clearInterval(acknowledging);
    const codes = new Set(client.messages.slice(1).map(({ type, code }) => code ?? type));
    for (const code of codes) expect(["page", "too-many-requests", "rate-limited"]).toContain(code);
  });

  it("G11: a storm of reconnects, some cut in every state, leaves nothing behind", async () => {
    const world = await stage();
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, at) => {
          const client = at % 5 === 0 ? world.connect() : world.knock();
          if (at % 5 > 1) await client.status();
          if (at % 5 > 2) client.say({ type: "hello", id: 1, token: "x" });
          if (at % 5 > 3) await client.closed();
          client.socket.resetAndDestroy();
        }),
      );
    }
    await expect.poll(() => world.server.connections, { timeout: 20_000 }).toBe(1);
    await expect.poll(() => world.server.node.connections, { timeout: 20_000 }).toBe(1);
  });
});
