import { describe, expect, it } from "vitest";
import { frame, TEXT } from "./raw-socket.fixture.ts";
import { stage, token } from "./stage.fixture.ts";

const PRODUCER = `${Date.now().toString(36).padStart(8, "0")}-${"s".repeat(22)}`;
const publish = {
  type: "publish",
  id: 5,
  channel: "room:1",
  event: "message",
  data: { text: "a" },
  producer: PRODUCER,
  seq: 1,
};
const HERE = { epoch: "e", offset: 1, tag: "t" };

describe("messages at the wrong time", () => {
  it.each([
    publish,
    { type: "subscribe", id: 5, channel: "room:control" },
    { type: "unsubscribe", id: 5, channel: "room:control" },
    { type: "history", id: 5, channel: "room:control", limit: 500 },
    {
      type: "command",
      id: 5,
      channel: "desk:1",
      model: "count",
      command: "add",
      input: {},
      nonce: "n".repeat(22),
      producer: PRODUCER,
      seq: 1,
    },
    { type: "state", id: 5, channel: "desk:1", model: "count" },
    { type: "refresh", id: 5, token: "x" },
    { type: "received", frames: 1 },
    { type: "ping" },
    { type: "pong" },
  ])("G10: $type before hello is answered not-authenticated and 4401", async (message) => {
    const world = await stage();
    const client = await world.open();
    client.say(message);
    expect(await client.closed()).toEqual({ code: 4401, reason: "not-authenticated" });
    expect(client.messages).toMatchObject([{ type: "error", code: "not-authenticated" }]);
  });

  it("G10: nothing is done that came behind a hello that is refused, or while its token is looked at", async () => {
    const world = await stage();
    const bold = await token("bold");
    for (const frames of [
      [[{ type: "hello", id: 1, token: `${bold}x` }, publish]],
      [[{ type: "hello", id: 1, token: bold }], [publish]],
    ]) {
      const client = await world.open();
      client.write(Buffer.concat(frames.map((messages) => frame(TEXT, JSON.stringify(messages)))));
      expect(await client.closed()).toMatchObject({ code: 4401 });
    }
    const reader = await world.enter();
    reader.say({ type: "history", id: 2, channel: "room:1", limit: 5 });
    expect(await reader.told(2)).toMatchObject({ type: "page", events: [] });
  });

  it("a second hello is refused, with the same token and with another user's", async () => {
    const world = await stage();
    const client = await world.enter();
    client.say(
      { type: "hello", id: 2, token: await token("mallory") },
      { type: "hello", id: 3, token: await token("control") },
    );
    expect(await client.told(2)).toMatchObject({ code: "already-authenticated" });
    expect(await client.told(3)).toMatchObject({ code: "already-authenticated" });
  });

  it("a second subscribe, an unsubscribe of nothing, a request id in use: each has its code", async () => {
    const world = await stage();
    const client = await world.enter();
    client.say(
      { type: "subscribe", id: 2, channel: "room:1" },
      { type: "subscribe", id: 2, channel: "room:2" },
      { type: "subscribe", id: 3, channel: "room:1" },
      { type: "unsubscribe", id: 4, channel: "room:9" },
    );
    await client.told(4);
    await client.until(() => client.messages.some(({ type }) => type === "subscribed"));
    expect(client.messages.slice(1).map(({ id, type, code }) => [id, code ?? type])).toEqual(
      expect.arrayContaining([
        [2, "request-in-use"],
        [2, "subscribed"],
        [3, "already-subscribed"],
        [4, "not-subscribed"],
      ]),
    );
  });
});

describe("positions that cannot be", () => {
  it.each([
    ["of another epoch", HERE, "epoch"],
    ["ahead of the head", { epoch: "-", offset: 9_007_199_254_740_991, tag: "" }, "epoch"],
    ["before every life of the channel with a tag", { epoch: "-", offset: 0, tag: "t" }, undefined],
  ])("P3: a subscription from a position %s is told reset, or begins at the beginning", async (_, from, reason) => {
    const world = await stage();
    await world.server.application().publish("room:1", "message", { text: "1" });
    const client = await world.enter();
    client.say({ type: "subscribe", id: 2, channel: "room:1", from });
    const answer = await client.told(2);
    expect(answer).toMatchObject({ type: "subscribed" });
    if (reason) expect(answer).toMatchObject({ reset: reason, position: { offset: 1 } });
  });

  it("P3: ahead of the head in the channel's own epoch is told reset: ahead", async () => {
    const world = await stage();
    const { epoch } = await world.server.application().publish("room:1", "message", { text: "1" });
    const client = await world.enter();
    client.say({
      type: "subscribe",
      id: 2,
      channel: "room:1",
      from: { epoch, offset: 9_007_199_254_740_991, tag: "t" },
    });
    expect(await client.told(2)).toMatchObject({ reset: "ahead", position: { epoch, offset: 1 } });
  });

  it.each([
    ["negative", { epoch: "e", offset: -1, tag: "" }],
    ["negative zero and a half", { epoch: "e", offset: -0.5, tag: "" }],
    ["beyond 2^53", { epoch: "e", offset: 2 ** 53, tag: "" }],
    ["of a long epoch", { epoch: "e".repeat(33), offset: 0, tag: "" }],
    ["of no epoch", { offset: 0, tag: "" }],
    ["of more than it may have", { epoch: "e", offset: 0, tag: "", admin: true }],
  ])("a position that is %s is bad-message", async (_, from) => {
    const world = await stage();
    const client = await world.enter();
    client.say(
      { type: "subscribe", id: 2, channel: "room:1", from },
      { type: "history", id: 3, channel: "room:1", limit: 1, atLeast: from },
    );
    expect(await client.told(2)).toMatchObject({ code: "bad-message" });
    expect(await client.told(3)).toMatchObject({ code: "bad-message" });
  });

  it("D9: atLeast a position that will never be is told so at once, and nobody waits", async () => {
    const world = await stage();
    const client = await world.enter();
    for (let id = 2; id < 100; id++)
      client.say({ type: "history", id, channel: "room:1", limit: 1, atLeast: { ...HERE, offset: id } });
    for (let id = 2; id < 100; id++) expect(await client.told(id)).toMatchObject({ code: "not-yet", retryable: true });
  });
});

describe("acknowledgements of what was never sent", () => {
  it.each([2, 1_000_000, 9_007_199_254_740_991])("D5: %i frames end the connection 4408", async (frames) => {
    const world = await stage();
    const client = await world.enter();
    client.say({ type: "received", frames });
    expect(await client.closed()).toEqual({ code: 4408, reason: "credit-violation" });
  });

  it("D5: counting backwards ends the connection 4408", async () => {
    const world = await stage();
    const client = await world.enter();
    client.say({ type: "received", frames: 1 }, { type: "received", frames: 0 });
    expect(await client.closed()).toMatchObject({ code: 4408 });
  });
});
