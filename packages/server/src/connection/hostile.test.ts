import { msgpackCodec } from "@tandem/protocol/msgpack";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster, numbers } from "../cluster.fixture.ts";

/** Does something hostile to a node while a well-behaved client reads there, and holds that this one loses nothing. */
async function besideControl(attack: (world: Cluster) => Promise<void>, world?: Cluster): Promise<void> {
  const stage = world ?? (await cluster());
  const control = await stage.client("control");
  await control.subscribe("room:control");
  await stage.fill("room:control", 1);
  await attack(stage);
  await control.publish("room:control", 1, { text: "2" });
  await stage.fill("room:control", 1, 0, () => "3");
  expect(control.texts("room:control")).toEqual(numbers(3));
  expect(control.errors()).toEqual([]);
  expect(control.end).toBeUndefined();
  const lines = stage.runtime.lines.filter(({ level, fields }) => level !== "info" && !("noise" in fields));
  expect(lines).toEqual([]);
}

/** `[…[1]…]`, `depth` deep. */
const nested = (depth: number) => `${"[".repeat(depth)}1${"]".repeat(depth)}`;
const publish = (data: string) =>
  `{"type":"publish","id":7,"channel":"room:1","event":"message","producer":"0mfxxxxx-xxxxxxxxxxxxxxxxxxxxxx","seq":1,"data":${data}}`;

describe("messages that are wrong", () => {
  it.each([
    ["nested deeper than 32", publish(nested(33)), "too-deep"],
    ["with a key __proto__", publish('{"__proto__":{"x":1}}'), "bad-message"],
    ["with a key constructor", publish('{"constructor":1}'), "bad-message"],
    ["with a key given twice", publish('{"text":"a","text":"b"}'), "bad-message"],
    ["with its own key given twice", '{"type":"ping","id":7,"type":"ping"}', "bad-message"],
    ["with a number out of range", publish('{"text":1e999}'), "bad-message"],
    ["with an id out of range", '{"type":"publish","id":9007199254740993}', "bad-message"],
    ["with NUL", publish('{"text":"\\u0000"}'), "bad-message"],
    ["with half of a surrogate pair", publish('{"text":"\\ud800"}'), "bad-message"],
    ["with half of a surrogate pair in a key", publish('{"\\udfff":1}'), "bad-message"],
    ["with a key of a megabyte", `{"type":"history","id":7,"${"k".repeat(1_000_000)}":1}`, "bad-message"],
    ["of no known type", '{"type":"shout","id":7}', "bad-message"],
    ["of a type that every object has", '{"type":"toString","id":7}', "bad-message"],
    ["without a type", '{"id":7}', "bad-message"],
    ["with a field too many", '{"type":"unsubscribe","id":7,"channel":"room:1","force":true}', "bad-message"],
    ["with a field too few", '{"type":"unsubscribe","id":7}', "bad-message"],
    ["with a field of a wrong type", '{"type":"history","id":7,"channel":"room:1","limit":"10"}', "bad-message"],
    ["with a negative offset", '{"type":"history","id":7,"channel":"room:1","limit":1,"before":-1}', "bad-message"],
    ["with half an offset", '{"type":"history","id":7,"channel":"room:1","limit":1,"before":1.5}', "bad-message"],
    ["with a negative position", '{"type":"subscribe","id":7,"channel":"room:1","from":{"last":-1}}', "bad-message"],
    ["with a wrong producer", publish("1").replace("0mfxxxxx-", "X-"), "bad-message"],
    ["with seq 0", publish("1").replace('"seq":1', '"seq":0'), "bad-message"],
    ["that is null", "null", "bad-message"],
    ["that is a list", "[7]", "bad-message"],
  ])("a message %s is told its code, with its id where it has one", async (_, message, code) => {
    await besideControl(async (world) => {
      const client = await world.client("ada");
      client.raw(`[${message}]`);
      await world.settle();
      const id = /"id":7[,}]/.test(message) ? { id: 7 } : {};
      const [error] = client.all("error");
      expect(error).toEqual({ type: "error", ...id, code, message: expect.any(String), retryable: false });
      expect(error?.message.length).toBeLessThanOrEqual(200);
      expect(client.end).toBeUndefined();
      expect(await client.subscribe("room:1")).toMatchObject({ type: "subscribed" });
    });
  });

  it.each([
    ["cut off", '[{"type":"ping"'],
    ["empty", ""],
    ["null", "null"],
    ["an object", '{"type":"ping"}'],
    ["no JSON", "ping"],
    ["binary", new Uint8Array([0x80])],
  ])("a frame that is %s ends its connection 4400", async (_, frame) => {
    await besideControl(async (world) => {
      const client = await world.client("ada");
      client.raw(frame);
      await world.settle();
      expect(client.errors()).toEqual(["bad-frame"]);
      expect(client.end).toEqual({ code: 4400, reason: "bad-frame" });
    });
  });

  it.each([
    ["cut off", [0x81, 0xa4, 0x74]],
    ["a map that promises 4 billion entries", [0xdf, 0xff, 0xff, 0xff, 0xff]],
    ["a list that promises 4 billion entries", [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["a text that promises 4 gigabytes", [0xdb, 0xff, 0xff, 0xff, 0xff]],
    ["a key that is no text", [0x81, 0x01, 0x01]],
    ["a byte that means nothing", [0xc1]],
  ])("a MessagePack frame with %s ends its connection 4400", async (_, bytes) => {
    await besideControl(async (world) => {
      const client = await world.client("ada", 0, msgpackCodec);
      client.raw(Uint8Array.from(bytes));
      await world.settle();
      expect(client.end).toEqual({ code: 4400, reason: "bad-frame" });
    });
  });

  it("G12: a MessagePack frame of nested promises asks for no memory", async () => {
    await besideControl(async (world) => {
      const client = await world.client("ada", 0, msgpackCodec);
      const before = process.memoryUsage().rss;
      client.raw(Uint8Array.from({ length: 60_000 }, (_, at) => (at % 3 === 0 ? 0xdc : 0xff)));
      expect(process.memoryUsage().rss - before).toBeLessThan(1_000_000_000);
      expect(client.end).toMatchObject({ code: 4400 });
    });
  });

  it("a MessagePack message with bytes or a time in it is refused", async () => {
    await besideControl(async (world) => {
      const client = await world.client("ada", 0, msgpackCodec);
      for (const data of [new Uint8Array(3), new Date(0)]) {
        expect(await client.publish("room:1", 1, { text: data })).toMatchObject({ code: "bad-message" });
      }
    });
  });

  it("G11: more messages in a frame than the limit end the connection 4406", async () => {
    await besideControl(async (world) => {
      const client = await world.client("ada");
      client.say(...Array.from({ length: 513 }, () => ({ type: "ping" })));
      await world.settle();
      expect(client.end).toEqual({ code: 4406, reason: "too-many-messages" });
      expect(client.all("pong")).toEqual([]);
    });
  });

  it("G11: twenty wrong messages in a row end the connection 4407; a right one among them starts anew", async () => {
    await besideControl(async (world) => {
      const client = await world.client("ada");
      const wrong = Array.from({ length: 19 }, () => ({ type: "shout" }));
      client.say(...wrong, { type: "ping" }, ...wrong);
      await world.settle();
      expect(client.end).toBeUndefined();
      client.say({ type: "shout" });
      await world.settle();
      expect(client.end).toEqual({ code: 4407, reason: "too-many-errors" });
    });
  });

  it("a fault of one message leaves the others of its frame standing", async () => {
    await besideControl(async (world) => {
      const client = await world.client("ada");
      client.say({ type: "shout", id: 8 }, { type: "subscribe", id: 9, channel: "room:1" });
      await world.settle();
      expect(client.answer(8)).toMatchObject({ code: "bad-message" });
      expect(client.answer(9)).toMatchObject({ type: "subscribed" });
    });
  });
});

describe("messages at the wrong time", () => {
  it.each([
    { type: "subscribe", id: 1, channel: "room:1" },
    { type: "unsubscribe", id: 1, channel: "room:1" },
    { type: "history", id: 1, channel: "room:1", limit: 1 },
    {
      type: "publish",
      id: 1,
      channel: "room:1",
      event: "message",
      data: 1,
      producer: `0mfxxxxx-${"x".repeat(22)}`,
      seq: 1,
    },
    { type: "refresh", id: 1, token: "control" },
    { type: "received", frames: 0 },
    { type: "ping" },
    { type: "pong" },
  ])("G10: $type before hello is not-authenticated, and ends the connection 4401", async (message) => {
    await besideControl(async (world) => {
      const client = world.stranger();
      client.say(message);
      await world.settle();
      expect(client.told).toMatchObject([{ type: "error", code: "not-authenticated" }]);
      expect(client.end).toEqual({ code: 4401, reason: "not-authenticated" });
    });
  });

  it("G10: anything while the token is being checked ends the connection too, and what it asked is not done", async () => {
    await besideControl(async (world) => {
      world.token("ada");
      const client = world.stranger();
      client.say({ type: "hello", id: 1, token: "ada" });
      client.say({ type: "subscribe", id: 2, channel: "room:1" });
      await world.settle();
      expect(client.told).toMatchObject([{ code: "not-authenticated" }]);
      expect(client.end).toMatchObject({ code: 4401 });
    });
  });

  it("a wrong message before hello ends the connection 4400: the client need not come back", async () => {
    await besideControl(async (world) => {
      const client = world.stranger();
      client.say({ type: "hello", id: 3, token: 5 });
      await world.settle();
      expect(client.told).toMatchObject([{ code: "bad-message", id: 3 }]);
      expect(client.end).toEqual({ code: 4400, reason: "bad-message" });
    });
  });

  it("a second hello is refused, whoever it names", async () => {
    await besideControl(async (world) => {
      const client = await world.client("ada");
      expect(await client.hello("control")).toMatchObject({ code: "already-authenticated" });
      expect(await client.publish("room:1", 1)).toMatchObject({ type: "published" });
      expect(client.end).toBeUndefined();
    });
  });

  it("a second subscribe is refused, also before the first is answered, and events come once", async () => {
    await besideControl(async (world) => {
      const client = await world.client("ada");
      client.say({ type: "subscribe", id: 5, channel: "room:1" }, { type: "subscribe", id: 6, channel: "room:1" });
      await world.settle();
      expect(client.answer(6)).toMatchObject({ code: "already-subscribed" });
      expect(await client.subscribe("room:1")).toMatchObject({ code: "already-subscribed" });
      await world.fill("room:1", 1);
      expect(client.all("events")).toHaveLength(1);
    });
  });

  it("unsubscribing what was never subscribed is told so", async () => {
    await besideControl(async (world) => {
      const client = await world.client("ada");
      expect(await client.ask({ type: "unsubscribe", channel: "room:1" })).toMatchObject({ code: "not-subscribed" });
    });
  });

  it("a request id in use is refused; after its answer it is free again", async () => {
    await besideControl(async (world) => {
      const client = await world.client("ada");
      client.say({ type: "subscribe", id: 5, channel: "room:1" }, { type: "subscribe", id: 5, channel: "room:2" });
      await world.settle();
      expect(client.errors()).toEqual(["request-in-use"]);
      client.say({ type: "subscribe", id: 5, channel: "room:2" });
      await world.settle();
      expect(client.all("subscribed").map(({ channel }) => channel)).toEqual(["room:1", "room:2"]);
    });
  });
});

describe("exhaustion", () => {
  it("G11: 10,000 subscriptions are held to the limit, and each over it is told so", async () => {
    const world = await cluster({ limits: { subscriptions: 100 } });
    await besideControl(async () => {
      const client = await world.client("ada");
      for (let first = 0; first < 10_000; first += 200) {
        client.say(
          ...Array.from({ length: 200 }, (_, at) => ({
            type: "subscribe",
            id: first + at + 2,
            channel: `room:${first + at}`,
          })),
        );
        await world.settle();
      }
      expect(client.all("subscribed")).toHaveLength(100);
      const codes = new Set(client.errors());
      expect([...codes]).toEqual(["too-many-subscriptions"]);
      expect(client.all("error")).toHaveLength(9_900);
    }, world);
  });

  it("G11: a flood of publishes is answered too-many-requests beyond what may be in flight", async () => {
    const world = await cluster();
    await besideControl(async () => {
      const client = await world.client("ada");
      await client.subscribe("room:1");
      const { promise, resolve } = Promise.withResolvers<void>();
      world.log().held = { append: promise };
      for (let seq = 1; seq <= 2_000; seq++) client.say({ id: client.nextId(), ...client.publishing("room:1", seq) });
      await world.settle();
      expect(new Set(client.errors())).toEqual(new Set(["too-many-requests"]));
      expect(client.all("error")[0]).toMatchObject({ id: expect.any(Number), retryable: true, retryAfter: 1_000 });
      const taken = 2_000 - client.all("error").length;
      expect(taken).toBeLessThanOrEqual(512);
      resolve();
      world.log().held = {};
      await world.settle();
      expect(client.texts("room:1")).toEqual(numbers(taken));
    }, world);
  });

  it("G11: a flood of history requests is answered too-many-requests beyond the limit", async () => {
    const world = await cluster({ limits: { requests: 10 } });
    await besideControl(async () => {
      const client = await world.client("ada");
      client.say(
        ...Array.from({ length: 500 }, (_, at) => ({ type: "history", id: at + 2, channel: "room:1", limit: 1 })),
      );
      await world.settle();
      expect(client.all("page")).toHaveLength(10);
      expect(client.errors().filter((code) => code === "too-many-requests")).toHaveLength(490);
    }, world);
  });
});
