import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { channel, defineApp } from "@tandem/app";
import { createClient, follow, following } from "@tandem/client";
import type { Server } from "@tandem/server";
import { createServer, mintToken } from "@tandem/server";
import * as v from "valibot";
import { afterEach, expect, it } from "vitest";

const SECRET = "a secret of more than thirty-two letters";
const app = defineApp({
  channels: {
    user: channel({ events: { notice: v.object({ text: v.string() }) } }),
    "user-urgent": channel({ events: { notice: v.object({ text: v.string() }) }, priority: "critical" }),
    alarm: channel({
      events: { raised: v.object({ severity: v.number() }), cleared: v.object({ severity: v.number() }) },
      filterable: ["severity"],
    }),
  },
});

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

const soon = <T>(read: () => T) => expect.poll(read, { timeout: 20_000 });

/** A folder that servers can be started on, one after the other, always at one address. */
function place() {
  const data = mkdtempSync(join(tmpdir(), "tandem-people-"));
  ended.push(() => rmSync(data, { recursive: true, force: true }));
  let port = 0;
  return {
    start: async (): Promise<Server> => {
      const server = await createServer(app, { data, secret: SECRET, port });
      ended.push(() => server.close());
      port = (await server.listen()).port;
      return server;
    },
    client: (user: string, grants = {}) => {
      const client = createClient<typeof app>({
        url: `ws://127.0.0.1:${port}/ws`,
        token: () => mintToken({ secret: SECRET, user, grants }),
      });
      ended.push(() => client.close());
      return client;
    },
  };
}

it("U1, U3, G3: what is sent to a user reaches each of the user's connections once, over a restart of the server", async () => {
  const { start, client } = place();
  let server = await start();
  const tabs = ["ada", "ada", "bob"].map((user) => {
    const told: [string, string][] = [];
    const tab = client(user, { "alarm:*": ["read"] });
    const reader = following(tab, {
      from: { last: 10 },
      onEvents: (events, { channel }) => {
        for (const { type, data } of events) told.push([channel, type === "notice" && data ? data.text : type]);
      },
    });
    return { client: tab, told, reader };
  });
  const [ada, again, bob] = tabs;
  if (!ada || !again || !bob) throw new Error("There are three.");
  const lists = () => tabs.map(({ reader }) => reader.channels.get());
  const own = (user: string) => [`user-urgent:${user}`, `user:${user}`];
  await soon(lists).toEqual([own("ada"), own("ada"), own("bob")]);
  await follow(ada.client, "alarm", "1");
  await soon(lists).toEqual([[...own("ada"), "alarm:1"], [...own("ada"), "alarm:1"], own("bob")]);
  await server.application().sendToUser("ada", "notice", { text: "first" });
  await soon(() => again.told.length).toBe(1);
  await server.close();
  server = await start();
  await server.application().sendToUser("ada", "notice", { text: "urgent" }, { urgent: true });
  await server.application().publish("alarm:1", "raised", { severity: 1 });
  await server.application().sendToUser("ada", "notice", { text: "last" });
  const all = [
    ["user:ada", "first"],
    ["user-urgent:ada", "urgent"],
    ["alarm:1", "raised"],
    ["user:ada", "last"],
  ].sort();
  await soon(() => [[...ada.told].sort(), [...again.told].sort()]).toEqual([all, all]);
  expect(bob.told).toEqual([]);
});

it("D11: a filter picks the same events in replay and live, beside a reader of everything", async () => {
  const { start, client } = place();
  const server = await start();
  const raise = (severity: number) => server.application().publish("alarm:1", "raised", { severity });
  for (const severity of [1, 5, 2]) await raise(severity);
  const reader = client("ada", { "alarm:*": ["read"] });
  const severe: number[] = [];
  const every: number[] = [];
  const read = (into: number[]) => (events: readonly { data: { severity: number } | null }[]) => {
    for (const { data } of events) into.push(data?.severity ?? 0);
  };
  const filter = { types: ["raised" as const], where: { severity: { min: 3 } } };
  reader.channel("alarm", "1").subscribe({ from: { last: 10 }, filter, onEvents: read(severe) });
  await soon(() => severe).toEqual([5]);
  reader.channel("alarm", "1").subscribe({ from: { last: 10 }, onEvents: read(every) });
  await soon(() => every).toEqual([1, 5, 2]);
  for (const severity of [0, 9]) await raise(severity);
  await soon(() => [severe, every]).toEqual([
    [5, 9],
    [1, 5, 2, 0, 9],
  ]);
});
