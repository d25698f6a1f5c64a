import type { Start } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { ScriptedConnection } from "../testing/scripted-server.ts";
import { at, events } from "../testing/scripted-server.ts";
import { world } from "../testing/world.ts";
import { follow, following, unfollow } from "./following.ts";

/** A client that is connected and reads what it follows, and what it was told. */
async function ready(channels: string[], from?: Start) {
  const here = world();
  const told: unknown[] = [];
  const begin = () =>
    following(here.client, {
      ...(from && { from }),
      onEvents: (list, { channel, position }) => {
        told.push([channel, ...list.map(({ offset }) => offset), position.offset]);
      },
      onReset: (reason, position, { channel }) => told.push([channel, reason, position.offset]),
      onError: (error, { channel }) => told.push([channel, error.code]),
    });
  const reader = begin();
  const server = await here.connected({ following: { version: 1, channels } });
  return { ...here, server, reader, told, begin };
}

const asked = (server: ScriptedConnection, type: "subscribe" | "unsubscribe" = "subscribe") =>
  server.all(type).map(({ channel }) => channel);
/** Answers the last question about a channel. */
async function stand(server: ScriptedConnection, channel: string, offset: number) {
  const request = server.all("subscribe").findLast((subscribe) => subscribe.channel === channel);
  await server.say({ type: "subscribed", id: request?.id, channel, position: at(offset), head: offset });
}
const list = (...channels: string[]) => ({ type: "following", version: 2, channels });

describe("following", () => {
  it("U3: reads what welcome names from now on, and each event comes with its channel", async () => {
    const { server, reader, told } = await ready(["user:ada", "room:1"]);
    expect(asked(server)).toEqual(["user:ada", "room:1"]);
    expect(server.last("subscribe")).not.toHaveProperty("from");
    for (const channel of ["user:ada", "room:1"]) await stand(server, channel, 3);
    await server.say(events("room:1", 3, 5), events("user:ada", 3, 4));
    expect(told).toEqual([
      ["room:1", 4, 5, 5],
      ["user:ada", 4, 4],
    ]);
    expect(reader.channels.get()).toEqual(["user:ada", "room:1"]);
  });

  it("U3: begins where it is told to", async () => {
    const { server } = await ready(["user:ada"], { last: 20 });
    expect(server.last("subscribe")).toMatchObject({ channel: "user:ada", from: { last: 20 } });
  });

  it("G3, U3: goes on from its own positions after a lost connection, and follows what the list has become", async () => {
    const { server, told, reconnected } = await ready(["user:ada", "room:1"]);
    for (const channel of ["user:ada", "room:1"]) await stand(server, channel, 3);
    await server.say(events("user:ada", 3, 7));
    const back = await reconnected({ following: { version: 2, channels: ["room:2", "user:ada"] } });
    expect(back.all("subscribe")).toMatchObject([
      { channel: "user:ada", from: at(7) },
      { channel: "room:1", from: at(3) },
      { channel: "room:2" },
    ]);
    expect(asked(back, "unsubscribe")).toEqual(["room:1"]);
    await stand(back, "user:ada", 7);
    await back.say(events("user:ada", 7, 8));
    expect(told).toEqual([
      ["user:ada", 4, 5, 6, 7, 7],
      ["user:ada", 8, 8],
    ]);
  });

  it("U3: follows each change of the list at once", async () => {
    const { server, reader, runtime } = await ready(["user:ada"]);
    const changes: (readonly string[])[] = [];
    reader.channels.subscribe(() => changes.push(reader.channels.get()));
    await server.say(list("user:ada", "room:1"));
    expect(asked(server)).toEqual(["user:ada", "room:1"]);
    await server.say(list("room:1"));
    expect(asked(server, "unsubscribe")).toEqual(["user:ada"]);
    await server.say(list("room:1", "no channel", "user:ada"));
    expect(asked(server)).toEqual(["user:ada", "room:1", "user:ada"]);
    await runtime.settle();
    expect(changes).toEqual([["user:ada", "room:1"], ["room:1"], ["room:1", "user:ada"]]);
  });

  it("U4: a channel that may not be read is told, and tried again with the next list", async () => {
    const { server, told } = await ready(["room:1"]);
    const refusal = { type: "error", code: "forbidden", message: "no", retryable: false, channel: "room:1" };
    await server.say({ ...refusal, id: server.last("subscribe").id });
    expect(told).toEqual([["room:1", "forbidden"]]);
    expect(asked(server)).toEqual(["room:1"]);
    await server.say(list("room:1", "room:2"));
    expect(asked(server)).toEqual(["room:1", "room:1", "room:2"]);
  });

  it("stops, and another reader goes on", async () => {
    const { server, reader, told, begin } = await ready(["room:1"]);
    await stand(server, "room:1", 3);
    const other = begin();
    reader.stop();
    await server.say(events("room:1", 3, 4));
    expect(told).toEqual([["room:1", 4, 4]]);
    other.stop();
    await server.say(list("room:1", "room:2"));
    expect([asked(server), asked(server, "unsubscribe")]).toEqual([["room:1"], ["room:1"]]);
  });
});

describe("follow and unfollow", () => {
  it("U3: are asked one after the other, and resolve when they are stored", async () => {
    const { client, server, runtime } = await ready([]);
    const done: string[] = [];
    void follow(client, "room", "1").then(() => done.push("followed"));
    void unfollow(client, "room", "1").then(() => done.push("unfollowed"));
    await runtime.settle();
    expect(server.fresh()).toEqual([{ type: "follow", id: 2, channel: "room:1", version: 1 }]);
    await server.say({ type: "followed", id: 2, channel: "room:1", version: 4 });
    expect(server.fresh()).toEqual([{ type: "unfollow", id: 3, channel: "room:1", version: 4 }]);
    await server.say({ type: "unfollowed", id: 3, channel: "room:1", version: 5 });
    expect(done).toEqual(["followed", "unfollowed"]);
  });

  it("U3: are asked again after a lost connection and a refusal that may pass, in their order", async () => {
    const { client, server, runtime, reconnected } = await ready([]);
    const done: string[] = [];
    void follow(client, "room", "1").then(() => done.push("followed"));
    void unfollow(client, "room", "1").then(() => done.push("unfollowed"));
    await runtime.settle();
    const refusal = { type: "error", code: "storage-unavailable", message: "no", retryable: true, retryAfter: 700 };
    await server.say({ ...refusal, id: server.last("follow").id });
    await runtime.pass(699);
    expect(server.all("follow")).toHaveLength(1);
    await runtime.pass(1);
    expect([server.all("follow"), server.all("unfollow")]).toMatchObject([[{}, {}], []]);
    const back = await reconnected();
    expect([back.all("follow"), back.all("unfollow")]).toMatchObject([[{ channel: "room:1" }], []]);
    await back.say({ type: "followed", id: back.last("follow").id, channel: "room:1", version: 2 });
    await back.say({ type: "unfollowed", id: back.last("unfollow").id, channel: "room:1", version: 3 });
    expect(done).toEqual(["followed", "unfollowed"]);
  });

  it("U3: name the version of the list that was told last, and are asked again on the one that it is of by then", async () => {
    const { client, server, runtime, reconnected } = await ready([]);
    void follow(client, "room", "1");
    await runtime.settle();
    expect(server.last("follow")).toMatchObject({ version: 1 });
    const back = await reconnected({ following: { version: 7, channels: [] } });
    expect(back.last("follow")).toMatchObject({ channel: "room:1", version: 7 });
    const conflict = { type: "error", code: "conflict", message: "no", retryable: true, expected: 0 };
    await back.say({ ...conflict, id: back.last("follow").id });
    await runtime.pass(2_000);
    expect(back.all("follow").map(({ version }) => version)).toEqual([7, 0]);
    await back.say({ ...list(), version: 9 }, { ...conflict, id: back.last("follow").id, expected: 8 });
    await back.say({ ...list(), version: 8 });
    await runtime.pass(2_000);
    expect(back.all("follow").map(({ version }) => version)).toEqual([7, 0, 8]);
  });

  it("U4: come back with the server's reason, or for want of a connection; the next one goes on", async () => {
    const { client, server, runtime } = await ready([]);
    const full = follow(client, "room", "1");
    const next = follow(client, "room", "2");
    await runtime.settle();
    const refusal = { type: "error", code: "too-many-following", message: "no", retryable: false };
    await server.say({ ...refusal, id: server.last("follow").id });
    await expect(full).rejects.toMatchObject({ code: "too-many-following" });
    await server.say({ type: "followed", id: server.last("follow").id, channel: "room:2", version: 2 });
    await next;
    client.disconnect();
    const away = follow(client, "room", "3");
    await runtime.pass(30_000);
    await expect(away).rejects.toMatchObject({ code: "disconnected" });
    const closed = follow(client, "room", "4");
    void client.close();
    await expect(closed).rejects.toMatchObject({ code: "closed" });
    await expect(follow(client, "room", "5")).rejects.toMatchObject({ code: "closed" });
    await expect(follow(client, "room", "no id")).rejects.toThrow(RangeError);
  });

  it("G11: no more than 256 wait", async () => {
    const { client } = await ready([]);
    const waiting = Array.from({ length: 256 }, (_, at) => follow(client, "room", `${at}`));
    await expect(follow(client, "room", "more")).rejects.toMatchObject({ code: "too-many-requests" });
    const settled = Promise.allSettled(waiting);
    void client.close();
    expect((await settled).every(({ status }) => status === "rejected")).toBe(true);
  });
});
