import { describe, expect, it } from "vitest";
import { follow } from "./following/following.ts";
import { presence } from "./presence/presence.ts";
import { at, events } from "./testing/scripted-server.ts";
import { world } from "./testing/world.ts";

describe("client", () => {
  it("says hello, subscribes, publishes, and shows what became of it", async () => {
    const { client, connected, runtime } = world({ token: () => "t1" });
    const seen: unknown[] = [];
    const room = client.channel("room", "42");
    room.subscribe({ from: { last: 5 }, onEvents: (list) => seen.push(...list.map((event) => event.data)) });
    const publication = room.publish("message", { text: "hello" });
    expect(publication.status.get()).toEqual({ kind: "queued" });
    const server = await connected();
    expect(server.messages[0]).toMatchObject({ type: "hello", token: "t1" });
    expect(client.status.get()).toMatchObject({ kind: "connected" });
    expect(client.identity.get()).toMatchObject({ user: "ada", tenant: "default" });
    const subscribe = server.last("subscribe");
    expect(subscribe).toMatchObject({ channel: "room:42", from: { last: 5 } });
    await server.say({ type: "subscribed", id: subscribe.id, channel: "room:42", position: at(3), head: 5 });
    await server.say(events("room:42", 3, 5));
    expect(seen).toEqual([4, 5]);
    const publish = server.last("publish");
    expect(publish).toMatchObject({ channel: "room:42", event: "message", data: { text: "hello" }, seq: 1 });
    expect(publication.status.get()).toEqual({ kind: "sent" });
    await server.store([publish], 6);
    expect(await publication.durable).toEqual(at(6));
    expect(publication.status.get()).toEqual({ kind: "durable", position: at(6), duplicate: false });
    expect(client.pending.get()).toBe(0);
    expect(runtime.errors).toEqual([]);
  });

  it("G1 G3: comes back with its positions and sends again what has no answer, in order, before what is new", async () => {
    const { client, connected, server, runtime } = world({ token: () => "t1" });
    const room = client.channel("room", "42");
    const seen: number[] = [];
    room.subscribe({ onEvents: (list) => seen.push(...list.map(({ offset }) => offset)) });
    const first = await connected();
    await first.say({
      type: "subscribed",
      id: first.last("subscribe").id,
      channel: "room:42",
      position: at(7),
      head: 7,
    });
    await first.say(events("room:42", 7, 9));
    for (const text of ["a", "b"]) room.publish("message", { text });
    await runtime.settle();
    await first.end();
    expect(client.status.get()).toMatchObject({ kind: "reconnecting", attempt: 1, reason: "disconnected" });
    room.publish("message", { text: "c" });
    await runtime.pass(2_000);
    await server.present.open();
    const second = server.present;
    expect(second).not.toBe(first);
    await second.say({
      type: "welcome",
      id: second.last("hello").id,
      connection: "c2",
      user: "ada",
      tenant: "default",
      time: 1,
      limits: (await import("@tandem/protocol")).DEFAULT_LIMITS,
    });
    expect(second.last("subscribe")).toMatchObject({ from: at(9) });
    const again = second.all("publish");
    expect(again.map(({ data, seq }) => [data, seq])).toEqual([
      [{ text: "a" }, 1],
      [{ text: "b" }, 2],
      [{ text: "c" }, 3],
    ]);
    expect(again[0]?.producer).toBe(first.all("publish")[0]?.producer);
    expect(seen).toEqual([8, 9]);
  });

  it("what is begun after its end has ended, also what was not used before", async () => {
    const { client, connected, runtime } = world();
    await connected();
    void client.close();
    const codes: string[] = [];
    const here = presence(client.channel("room", "42"), { onError: ({ code }) => codes.push(code) });
    follow(client, "room", "42").catch(({ code }) => codes.push(code));
    await runtime.settle();
    expect(here.status.get()).toBe("ended");
    expect(codes).toEqual(["closed", "closed"]);
  });
});
