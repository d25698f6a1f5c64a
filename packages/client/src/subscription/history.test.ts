import { expect, it } from "vitest";
import { at, events } from "../testing/scripted-server.ts";
import { world } from "../testing/world.ts";

const page = (id: number, more: object = {}) => {
  return { type: "page", id, channel: "room:1", epoch: "e1", events: events("room:1", 3, 5).events, ...more };
};

it("fetches a page", async () => {
  const { client, connected, runtime } = world();
  const server = await connected({ limits: { historyPage: 50 } });
  const asked = client.channel("room", "1").history({ before: 6, limit: 80, atLeast: at(2) });
  await runtime.settle();
  expect(server.last("history")).toMatchObject({ channel: "room:1", before: 6, limit: 50, atLeast: at(2) });
  await server.say(page(server.last("history").id, { next: 4 }));
  expect(await asked).toMatchObject({ events: [{ offset: 4 }, { offset: 5 }], next: 4, epoch: "e1" });
});

it("waits for a connection, and asks again on the next one", async () => {
  const { client, connected, reconnected } = world();
  const asked = client.channel("room", "1").history();
  const first = await connected();
  expect(first.last("history")).toMatchObject({ limit: 100 });
  const second = await reconnected();
  await second.say(page(second.last("history").id));
  expect((await asked).next).toBeUndefined();
});

it("tries again after a refusal that may pass, and gives up after 30 s with the last reason", async () => {
  const { client, connected, runtime } = world();
  const server = await connected();
  const asked = client.channel("room", "1").history();
  const failed = expect(asked).rejects.toMatchObject({ code: "storage-unavailable" });
  await runtime.settle();
  const busy = { type: "error", code: "storage-unavailable", message: "Busy.", retryable: true, retryAfter: 20_000 };
  await server.say({ ...busy, id: server.last("history").id });
  await runtime.pass(20_000);
  expect(server.all("history")).toHaveLength(2);
  await server.say({ ...busy, id: server.last("history").id });
  await runtime.pass(10_000);
  await failed;
});

it("gives up without a connection after 30 s", async () => {
  const { client, runtime } = world({ autoConnect: false });
  const failed = expect(client.channel("room", "1").history()).rejects.toMatchObject({ code: "disconnected" });
  await runtime.pass(30_000);
  await failed;
});

it("tells a final refusal at once", async () => {
  const { client, connected, runtime } = world();
  const server = await connected();
  const asked = client.channel("room", "1").history();
  await runtime.settle();
  const refusal = { type: "error", code: "forbidden", message: "No.", retryable: false };
  const failed = expect(asked).rejects.toMatchObject({ code: "forbidden" });
  await server.say({ ...refusal, id: server.last("history").id, channel: "room:1" });
  await failed;
});

it("G11: waits for 256 pages at most", async () => {
  const { client } = world({ autoConnect: false });
  const pages = Array.from({ length: 257 }, () => client.channel("room", "1").history());
  await expect(pages[256]).rejects.toMatchObject({ code: "too-many-requests" });
  const ended = Promise.allSettled(pages);
  void client.close();
  await ended;
});
