import { describe, expect, it } from "vitest";
import { stage } from "./stage.fixture.ts";

const PRODUCER = `${Date.now().toString(36).padStart(8, "0")}-${"a".repeat(22)}`;

/** Everything that one may ask of a channel. */
const asks = (channel: string) => [
  { type: "subscribe", id: 2, channel, from: { last: 100 } },
  { type: "history", id: 3, channel, limit: 100 },
  { type: "publish", id: 4, channel, event: "message", data: { text: "mine" }, producer: PRODUCER, seq: 1 },
];

describe("what a client may not see", () => {
  it.each([
    ["by its name", "room:secret"],
    ["by its key", "acme/room:secret"],
    ["by the server's own channel", "$system:revocations"],
    ["by a path", "../acme/room:secret"],
    ["percent-encoded", "acme%2Froom:secret"],
    ["in capitals", "ROOM:secret"],
    ["in full width", "ｒｏｏｍ:secret"],
    ["decomposed", "room:secre\u0301t"],
    ["with a zero-width space", "room:\u200bsecret"],
    ["with a look-alike letter", "rооm:secret"],
    ["by a wildcard", "room:*"],
    ["by all of them", "*"],
  ])("G10: another tenant's channel is not reached: %s", async (_, name) => {
    const world = await stage();
    await world.server.application("acme").publish("room:secret", "message", { text: "acme's own" });
    const client = await world.enter("mallory", { tenant: "other" });
    client.say(...asks(name));
    for (const id of [2, 3, 4]) await client.told(id);
    expect(client.everything).not.toContain("acme's own");
    const { events } = await world.server.application("acme").history("room:secret");
    expect(events).toHaveLength(1);
  });

  it("G10: a wildcard beyond the grant, and neighbours of what was granted, are forbidden", async () => {
    const world = await stage();
    for (const name of ["room:team", "room:team-", "room:Team-1", "room:teams-1", "open:team-1"]) {
      const client = await world.enter("mallory", { grants: { "room:team-*": ["read", "publish"] } });
      client.say(...asks(name));
      for (const id of [2, 3, 4]) expect(await client.told(id)).toMatchObject({ code: "forbidden" });
    }
  });

  it("G10: who may read does not publish, and who may publish does not read", async () => {
    const world = await stage();
    await world.server.application().publish("room:1", "message", { text: "theirs" });
    const reader = await world.enter("reader", { grants: { "room:1": ["read"] } });
    const writer = await world.enter("writer", { grants: { "room:1": ["publish"] } });
    reader.say(...asks("room:1"));
    writer.say(...asks("room:1"));
    expect(await reader.told(4)).toMatchObject({ code: "forbidden" });
    expect(await writer.told(2)).toMatchObject({ code: "forbidden" });
    expect(await writer.told(3)).toMatchObject({ code: "forbidden" });
    expect(await writer.told(4)).toMatchObject({ type: "published" });
    expect(writer.everything).not.toContain("theirs");
  });

  it("G10: who may only read is not present, does not signal, and is shown to nobody", async () => {
    const world = await stage();
    const reader = await world.enter("reader", { grants: { "hall:1": ["read"] } });
    const member = await world.enter("member", { grants: { "hall:1": ["read", "presence", "signal"] } });
    member.say({ type: "enter", id: 2, channel: "hall:1", state: { page: 1 }, seq: 1 });
    expect(await member.told(2)).toMatchObject({ type: "entered" });
    reader.say({ type: "enter", id: 2, channel: "hall:1", state: { page: 666 }, seq: 1 });
    expect(await reader.told(2)).toMatchObject({ code: "forbidden" });
    reader.say({ type: "signal", channel: "hall:1", seq: 2, signals: { cursor: { x: 666 } } });
    await reader.until(() => reader.messages.some(({ type }) => type === "unsignalled"));
    expect(reader.messages.at(-1)).toMatchObject({ type: "unsignalled", code: "forbidden" });
    reader.say({ type: "roster", id: 4, channel: "hall:1", limit: 10 });
    expect(await reader.told(4)).toMatchObject({ type: "roster-page" });
    await world.control.served();
    expect(member.everything).not.toContain("666");
    expect(JSON.stringify(await reader.told(4))).not.toContain("reader");
  });

  it("A3, G10: what is forbidden and what is absent are answered alike, byte for byte", async () => {
    const world = await stage();
    await world.server.application().publish("room:there", "message", { text: "theirs" });
    const client = await world.enter("mallory", { grants: {} });
    const answers = [];
    for (const name of ["room:there", "room:absnt", "none:there"]) {
      const before = client.messages.length;
      client.say(...asks(name));
      await client.until(() => client.messages.length >= before + 3);
      // A refused publish takes its place in its channel's log, so that answers may come in another order.
      const told = client.messages.slice(before).sort((a, b) => Number(a.id) - Number(b.id));
      answers.push(JSON.stringify(told).replaceAll(name, "room:there"));
    }
    expect(new Set(answers).size).toBe(1);
  });

  it("A6, G10: a guest has what guests have", async () => {
    const world = await stage();
    const client = await world.open();
    client.say({ type: "hello", id: 1, guest: { secret: "g".repeat(22), name: "<img src=x onerror=alert(1)>" } });
    expect(await client.told(1)).toMatchObject({ type: "welcome", user: expect.stringMatching(/^guest~/) });
    client.say(...asks("room:control"));
    for (const id of [2, 3, 4]) expect(await client.told(id)).toMatchObject({ code: "forbidden" });
  });
});
