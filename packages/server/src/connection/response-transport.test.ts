import { expect, it } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster } from "../cluster.fixture.ts";
import type { Reply } from "./reply.ts";
import { ResponseTransport } from "./response-transport.ts";

/** A reply that tells what was done to it, and that cannot begin twice. `buffered`: bytes that its client has not taken. */
function recorded(buffered = 0) {
  const told: string[] = [];
  const reply: Reply = {
    buffered,
    begin() {
      if (told.length > 0) throw new Error("The headers were sent before.");
      told.push("begin");
    },
    write: (bytes) => void told.push(Buffer.from(bytes).toString().trim()),
    end: () => void told.push("end"),
    cut: () => void told.push("cut"),
    onGone() {},
  };
  return { reply, told };
}

/** Carries a client that says hello with this token. */
function stream(world: Cluster, reply: Reply, token: string): void {
  const options = { side: false, address: "1.2.3.4", runtime: world.runtime };
  const transport = new ResponseTransport(reply, "stream", options);
  transport.carry(world.node().accept(transport), [JSON.stringify([{ type: "hello", id: 1, token }])]);
}

/** A reply that is given whole, and its text; empty until then. */
function heldReply() {
  let body = "";
  const reply: Reply = {
    buffered: 0,
    begin() {},
    write() {},
    end: (bytes) => {
      body = Buffer.from(bytes ?? []).toString();
    },
    cut() {},
    onGone() {},
  };
  return { reply, body: () => body };
}

it("C9: a stream that finds no place is told so, and when to come back", async () => {
  const world = await cluster({ limits: { connectionsPerAddress: 1 } });
  world.stranger(0, undefined, "1.2.3.4");
  const { reply, told } = recorded();
  stream(world, reply, world.token("ada"));
  await world.advance(1_000);
  expect(told).toEqual([
    "begin",
    expect.stringContaining('"too-many-connections"'),
    expect.stringContaining('"code":4502'),
    "end",
  ]);
  expect(told[1]).toContain("retryAfter");
});

it("G10 C4: a stream whose client has not taken what it was sent is cut when its token ends", async () => {
  const world = await cluster();
  const { reply, told } = recorded(100);
  stream(world, reply, world.token("ada", { expires: world.runtime.now() + 5_000 }));
  await world.advance(4_000);
  expect(told).not.toContain("cut");
  await world.advance(3_000);
  expect(told.at(-1)).toBe("cut");
  expect(told).not.toContain("end");
});

it("G10 T5: a poll whose token ends tells that, and nothing that it held", async () => {
  const world = await cluster();
  const token = world.token("ada", { expires: world.runtime.now() + 5_000 });
  const { reply, body } = heldReply();
  const options = { side: false, address: "1.2.3.4", runtime: world.runtime };
  const transport = new ResponseTransport(reply, "poll", options);
  transport.carry(world.node().accept(transport), [JSON.stringify([{ type: "hello", id: 1, token }])]);
  await world.advance(4_000);
  expect(body()).toBe("");
  await world.advance(3_000);
  expect(JSON.parse(body())).toMatchObject([
    { type: "error", code: "needs-auth" },
    { type: "close", code: 4004 },
  ]);
});

it("T3 T5: an answer that its bandwidth holds back past its token hands over what it has before", async () => {
  const world = await cluster({ limits: { bytesPerSecond: 4_000 } });
  await world.fill("room:1", 12, 0, (n) => String(n).padEnd(1_000));
  let asked = [2, 3, 4].map((id) => ({ type: "history", id, channel: "room:1", limit: 12 }));
  for (let time = 0; time < 3 && asked.length > 0; time++) {
    const token = world.token("ada", { expires: world.runtime.now() + 5_000 });
    const { reply, body } = heldReply();
    const transport = new ResponseTransport(reply, "answer", {
      side: true,
      address: "1.2.3.4",
      runtime: world.runtime,
    });
    transport.carry(world.node().accept(transport), [JSON.stringify([{ type: "hello", id: 1, token }, ...asked])]);
    await world.advance(7_000);
    const told: { type: string; id?: number }[] = JSON.parse(body() || "[]");
    expect(told.filter(({ type }) => type !== "welcome" && type !== "page")).toEqual([]);
    expect(told.length).toBeGreaterThan(1);
    asked = asked.filter(({ id }) => !told.some((one) => one.type === "page" && one.id === id));
  }
  expect(asked).toEqual([]);
});
