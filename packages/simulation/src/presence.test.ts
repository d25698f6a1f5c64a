import { channel, defineApp } from "@tandem/app";
import type { Presence } from "@tandem/client";
import { createClient, presence, signals } from "@tandem/client";
import { silentLogger } from "@tandem/runtime";
import { nodeRuntime } from "@tandem/runtime/node";
import { createMemoryLog, createServer } from "@tandem/server";
import { describe, expect, it, onTestFinished, vi } from "vitest";

/** A schema by hand: an object with a number under `field`. */
function numberUnder<K extends string>(field: K) {
  type Value = { readonly [key in K]: number };
  const validate = (value: unknown): { value: Value } | { issues: { message: string }[] } => {
    const given = value as Value | undefined;
    return typeof given?.[field] === "number" ? { value: given } : { issues: [{ message: `${field} is a number` }] };
  };
  return {
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate,
      types: undefined as { readonly input: Value; readonly output: Value } | undefined,
    },
  };
}

const app = defineApp({
  channels: {
    room: channel({
      events: {},
      presence: { state: numberUnder("page") },
      signals: { cursor: numberUnder("x"), point: numberUnder("y") },
    }),
  },
  guests: { grants: { "room:*": ["read", "presence", "signal"] } },
});

/** A server on a free port, and clients of it. */
async function stage() {
  const runtime = { ...nodeRuntime(), logger: silentLogger };
  const server = await createServer(app, { log: createMemoryLog(), port: 0, runtime });
  const { url } = await server.listen();
  const clients: { close(): Promise<void> }[] = [];
  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await server.close();
  });
  return {
    server,
    guest(name: string, transport: "websocket" | "sse" | "poll" = "websocket") {
      const client = createClient<typeof app>({
        url: `${url.replace("http", "ws")}/ws`,
        guest: { name },
        transports: [transport],
        runtime,
      });
      clients.push(client);
      return client;
    },
  };
}

function names(here: Presence<unknown, unknown>): unknown[] {
  return here.members.get().map(({ name, status, state }) => [name, status, state]);
}

describe("a real client at a real server", () => {
  it.each(["websocket", "sse", "poll"] as const)(
    "R1 R3 R8 R9: sees who is there, what they signal, and that they have left, by %s",
    async (transport) => {
      const { server, guest } = await stage();
      const [ada, bob] = [guest("Ada"), guest("Bob", transport)];
      const adaHere = presence(ada.channel("room", "1"), { state: { page: 1 } });
      await vi.waitFor(() => expect(names(adaHere)).toEqual([["Ada", "active", { page: 1 }]]));
      const bobHere = presence(bob.channel("room", "1"), { state: { page: 2 } });
      await vi.waitFor(() => expect(adaHere.members.get()).toHaveLength(2));
      expect(adaHere.members.get().map(({ self }) => self)).toEqual([true, false]);
      bobHere.update({ page: 3 });
      await vi.waitFor(() => expect(names(adaHere)[1]).toEqual(["Bob", "active", { page: 3 }]));
      expect(server.application().presence("room:1").count()).toBe(2);
      const seen: unknown[] = [];
      const cursors = signals(ada.channel("room", "1"), "cursor", {
        onSignals: (batch) => seen.push(...batch.map(({ data }) => data?.x)),
      });
      const moves = signals(bob.channel("room", "1"), "cursor");
      for (let x = 0; x < 50; x++) {
        moves.send({ x });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await vi.waitFor(() => expect(seen.at(-1)).toBe(49));
      expect(seen).toEqual([...seen].sort((a, b) => Number(a) - Number(b)));
      const [move] = [...cursors.latest.get().values()];
      expect(move).toMatchObject({ user: bob.identity.get()?.user, data: { x: 49 } });
      await bob.close();
      await vi.waitFor(() => expect(names(adaHere)).toEqual([["Ada", "active", { page: 1 }]]));
      expect(cursors.latest.get().size).toBe(0);
    },
  );

  it("is told what the schema says of a state that cannot be", async () => {
    const { guest } = await stage();
    const { promise, resolve } = Promise.withResolvers<string>();
    presence(guest("Ada").channel("room", "1"), {
      state: { page: "one" } as never,
      onError: ({ issues }) => resolve(JSON.stringify(issues)),
    });
    expect(await promise).toContain("page is a number");
  });
});
