import { describe, expect, it } from "vitest";
import { cluster } from "../cluster.fixture.ts";

describe("tenants", () => {
  it("G10: are apart: the same name is another channel, whose events and history nobody else sees", async () => {
    const world = await cluster();
    world.token("eve", { tenant: "other" });
    const [ada, eve] = [await world.client("ada"), await world.client("eve")];
    await ada.subscribe("room:1");
    await eve.subscribe("room:1");
    await ada.publish("room:1", 1, { text: "acme's" });
    expect(await eve.ask({ type: "history", channel: "room:1", limit: 5 })).toMatchObject({ events: [] });
    expect(await eve.publish("room:1", 1, { text: "other's" })).toMatchObject({ position: { offset: 1 } });
    expect(ada.texts("room:1")).toEqual(["acme's"]);
    expect(eve.texts("room:1")).toEqual(["other's"]);
  });

  it.each([
    ["by its key", "acme/room:1"],
    ["by a path", "../acme/room:1"],
    ["percent-encoded", "acme%2Froom:1"],
    ["in capitals", "ROOM:1"],
    ["in full width", "ｒｏｏｍ:1"],
    ["with a combining mark", "room:1\u0301"],
    ["with a zero-width space", "room:\u200b1"],
    ["with a look-alike", "rооm:1"],
    ["with a space", "room:1 "],
    ["with a slash in its id", "room:a/b"],
  ])("G10: a channel's name cannot be written otherwise: %s", async (_, name) => {
    const world = await cluster();
    world.token("eve", { tenant: "other" });
    await world.fill("room:1", 1, 0, () => "acme's");
    const eve = await world.client("eve");
    for (const request of [
      { type: "subscribe", channel: name, from: { last: 5 } },
      { type: "history", channel: name, limit: 5 },
      eve.publishing(name, 1),
    ]) {
      expect(await eve.ask(request)).toMatchObject({ code: "bad-message" });
    }
    expect(JSON.stringify(eve.told)).not.toContain("acme's");
  });

  it("G10: a percent-encoded id is another id", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    expect(await client.subscribe("room:%31")).toMatchObject({ code: "bad-message" });
    expect(await client.subscribe("room:~1")).toMatchObject({ type: "subscribed", head: 0 });
  });
});

describe("grants", () => {
  it("G10: cover what their pattern covers, and a wildcard is no channel", async () => {
    const world = await cluster();
    world.token("ada", { grants: { "room:team-*": ["read", "publish"], "alert:1": ["read"] } });
    const client = await world.client("ada");
    expect(await client.subscribe("room:team-1")).toMatchObject({ type: "subscribed" });
    expect(await client.subscribe("alert:1")).toMatchObject({ type: "subscribed" });
    for (const name of ["room:team", "room:team-", "room:Team-1", "room:x", "alert:11", "bulk:1"]) {
      expect(await client.subscribe(name)).toMatchObject({ code: "forbidden" });
    }
    for (const name of ["room:team-*", "room:*", "*", "*:1"]) {
      expect(await client.subscribe(name)).toMatchObject({ code: "bad-message" });
    }
  });

  it("G10: to read do not let publish, and to publish do not let read", async () => {
    const world = await cluster();
    await world.fill("room:1", 1, 0, () => "secret");
    world.token("reader", { grants: { "room:1": ["read"] } });
    world.token("writer", { grants: { "room:1": ["publish"] } });
    const [reader, writer] = [await world.client("reader"), await world.client("writer")];
    expect(await reader.publish("room:1", 1)).toMatchObject({ code: "forbidden" });
    expect(await writer.publish("room:1", 1)).toMatchObject({ type: "published" });
    expect(await writer.subscribe("room:1", { from: { last: 5 } })).toMatchObject({ code: "forbidden" });
    expect(await writer.ask({ type: "history", channel: "room:1", limit: 5 })).toMatchObject({ code: "forbidden" });
    expect(JSON.stringify(writer.told)).not.toContain("secret");
  });

  it.each([
    ["a page of history", { type: "history", channel: "lab:1", limit: 5 }],
    ["a model's state", { type: "state", channel: "lab:1", model: "meter" }],
  ])("G10: hold when it is told, not only when it is asked for: %s that waits for room", async (_, request) => {
    const world = await cluster({ limits: { windowBytes: 16_384 } });
    world.token("ada", { grants: { "room:1": ["read"], "lab:1": ["read", "write"] } });
    world.token("less", { user: "ada", grants: { "room:1": ["read"] } });
    const client = await world.client("ada");
    await client.command("lab:1", 1, "add", { by: 42 });
    await world.fill("room:1", 4, 0, () => "x".repeat(8_000));
    client.acknowledges = false;
    await client.subscribe("room:1", { from: { last: 4 } });
    expect(await client.ask(request)).toBeUndefined();
    expect(await client.ask({ type: "refresh", token: "less" })).toMatchObject({ type: "welcome" });
    client.acknowledge();
    await world.advance(1_000);
    client.acknowledge();
    await world.advance(1_000);
    const told = client.told.filter((message) => "channel" in message && message.channel === "lab:1");
    expect(told).toMatchObject([{ type: "error", code: "forbidden" }]);
    expect(JSON.stringify(client.told)).not.toContain("42");
  });

  it.each([
    ["a page of history", { type: "history", channel: "lab:1", limit: 5 }, "page"],
    ["a model's state", { type: "state", channel: "lab:1", model: "meter" }, "snapshots"],
  ] as const)("G10: hold when it is told, also where they went while it was read: %s", async (_, request, method) => {
    const world = await cluster({ nodes: 2 });
    world.token("ada", { grants: { "lab:1": ["read", "write"] } });
    world.token("less", { user: "ada", grants: {} });
    await (await world.client("ada")).command("lab:1", 1, "add", { by: 42 });
    const client = await world.client("ada", 1);
    await client.ask({ type: "history", channel: "lab:1", limit: 1, before: 1 });
    const { promise, resolve } = Promise.withResolvers<void>();
    world.log(1).late = { [method]: promise };
    expect(await client.ask(request)).toBeUndefined();
    expect(await client.ask({ type: "refresh", token: "less" })).toMatchObject({ type: "welcome" });
    resolve();
    await world.settle();
    expect(client.errors()).toEqual(["forbidden"]);
    expect(JSON.stringify(client.told)).not.toContain("42");
  });

  it("A5: nothing is delivered to a subscription that was being opened when its right was asked for anew", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await world.fill("club:1", 3);
    const read = Promise.withResolvers<void>();
    world.log().late = { read: read.promise };
    const atLeast = { epoch: "another", offset: 1, tag: "" };
    expect(await client.subscribe("club:1", { from: { last: 3 }, atLeast })).toBeUndefined();
    const access = Promise.withResolvers<readonly ("read" | "publish")[]>();
    world.rules.club = access.promise;
    const done = world.node().invalidate();
    await world.settle();
    world.log().late = {};
    read.resolve();
    await world.settle();
    await done;
    await world.fill("club:1", 1);
    expect(client.all("events")).toEqual([]);
    access.resolve([]);
    await world.settle();
    await world.fill("club:1", 1);
    expect(client.all("events")).toEqual([]);
    expect(client.all("unsubscribed")).toMatchObject([{ channel: "club:1" }]);
  });

  it("G10: what is forbidden and what is absent are answered alike", async () => {
    const world = await cluster();
    await world.fill("room:there", 1);
    world.token("ada", { grants: {} });
    const client = await world.client("ada");
    const answers = [];
    for (const name of ["room:there", "room:absent", "attic:1"]) {
      const told = [
        await client.subscribe(name),
        await client.ask({ type: "history", channel: name, limit: 1 }),
        await client.publish(name, 1),
      ];
      answers.push(told.map((answer) => JSON.stringify({ ...answer, id: 0, channel: 0 })));
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });
});
