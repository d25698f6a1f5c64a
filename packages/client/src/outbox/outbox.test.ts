import { eventId } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { ScriptedConnection } from "../testing/scripted-server.ts";
import { at } from "../testing/scripted-server.ts";
import { world } from "../testing/world.ts";

const refusal = (id: number, code: string, more: object = {}) => {
  const retryable = ["rate-limited", "overloaded", "storage-unavailable", "out-of-sequence", "internal"].includes(code);
  return { type: "error", id, channel: "room:1", code, message: code, retryable, ...more };
};

/** What of each publish matters here. */
const publishes = (server: ScriptedConnection) => server.all("publish").map(({ seq, data }) => [seq, data]);

async function ready(
  options: Parameters<typeof world>[0] = {},
  welcome: Parameters<ScriptedConnection["welcome"]>[0] = {},
) {
  const here = world(options);
  const server = await here.connected(welcome);
  const room = here.client.channel("room", "1");
  return {
    ...here,
    server,
    room,
    /** Publishes these, and ends the turn. */
    async publish(...data: unknown[]) {
      const made = data.map((item) => room.publish("message", item));
      await here.runtime.settle();
      return made;
    },
  };
}

describe("producers", () => {
  it("G2: each channel has a producer of its own, minted by the server's time, with numbers from 1 without gaps", async () => {
    const { client, server, runtime } = await ready({}, { time: 1_600_000_000_000 });
    for (const [id, data] of [
      ["1", "a"],
      ["2", "b"],
      ["1", "c"],
    ] as const)
      client.channel("room", id).publish("message", data);
    await runtime.settle();
    const [a, b, c] = [..."abc"].map((data) => server.all("publish").find((publish) => publish.data === data));
    expect([a?.seq, b?.seq, c?.seq]).toEqual([1, 1, 2]);
    expect(a?.producer).toBe(c?.producer);
    expect(a?.producer).not.toBe(b?.producer);
    expect(a?.producer).toMatch(/^[0-9a-z]{8}-[A-Za-z0-9_-]{22}$/);
    expect(Number.parseInt(a?.producer.split("-")[0] ?? "", 36)).toBe(1_600_000_000_000);
  });

  it("a publication knows its event's id once it is sent", async () => {
    const { room, runtime, server } = await ready();
    const publication = room.publish("message", 1);
    expect(publication.id).toBeUndefined();
    await runtime.settle();
    expect(publication.id).toBe(eventId(server.last("publish").producer, 1, 0));
  });

  it("a producer older than a day is replaced, but not while anything of it is unsettled", async () => {
    const { publish, server, runtime } = await ready();
    await publish("a");
    const old = server.last("publish").producer;
    await server.say({ type: "pong", time: runtime.now() + 25 * 3_600_000 });
    await publish("b");
    expect(server.last("publish")).toMatchObject({ producer: old, seq: 2 });
    await server.store(server.all("publish"));
    await publish("c");
    expect(server.last("publish").producer).not.toBe(old);
    expect(server.last("publish").seq).toBe(1);
  });
});

describe("retries", () => {
  it("G2: what has no answer is sent again as it was, whatever the app did to its object since", async () => {
    const { publish, reconnected, server } = await ready();
    const data = { text: "first" };
    const [publication] = await publish(data);
    data.text = "changed";
    const second = await reconnected();
    const { id: _first, ...before } = server.last("publish");
    const { id: _second, ...after } = second.last("publish");
    expect(after).toEqual(before);
    expect(after.data).toEqual({ text: "first" });
    await second.say({ type: "published", id: second.last("publish").id, position: at(4), duplicate: true });
    expect(publication?.status.get()).toEqual({ kind: "durable", position: at(4), duplicate: true });
  });

  it("G2 G5: a retryable refusal holds back everything behind it until its time, then it goes alone, and the rest in order", async () => {
    const { publish, runtime, server } = await ready();
    const made = await publish("a", "b", "c");
    const [a, b, c] = server.all("publish").map(({ id }) => id);
    await server.say(
      { type: "published", id: a, position: at(1) },
      refusal(b ?? 0, "rate-limited", { retryAfter: 3_000 }),
    );
    await publish("d");
    await runtime.pass(10_000);
    expect(publishes(server)).toHaveLength(3);
    await server.say(refusal(c ?? 0, "out-of-sequence", { expected: 2 }));
    await runtime.pass(2_999);
    expect(publishes(server)).toHaveLength(3);
    await runtime.pass(1);
    expect(publishes(server).slice(3)).toEqual([[2, "b"]]);
    await server.store([server.last("publish")], 2);
    expect(publishes(server).slice(4)).toEqual([
      [3, "c"],
      [4, "d"],
    ]);
    expect(made.map(({ status }) => status.get().kind)).toEqual(["durable", "durable", "sent"]);
  });

  it("W8: obeys a rate: never before its time, in order, and with one try only for each wait", async () => {
    const { client, runtime, server } = await ready({ queue: 2_000 });
    const room = client.channel("room", "1");
    const made = Array.from({ length: 1_000 }, (_, n) => room.publish("message", n));
    // The server stores 100 a second, and 100 at once.
    const stored: unknown[] = [];
    const early: unknown[] = [];
    let fullAt = 0;
    let notBefore = 0;
    let answered = 0;
    let waits = 0;
    let triesOfStalled = 0;
    for (let turn = 0; turn < 3_000 && stored.length < made.length; turn++) {
      await runtime.pass(5);
      const fresh = server.all("publish").slice(answered);
      answered += fresh.length;
      const now = runtime.elapsed();
      if (fresh.length > 0 && now < notBefore) early.push(...fresh);
      // Since the last refusal nothing was stored: whoever tries now does so in vain, or alone.
      if (fresh.length > 0 && waits > 0 && notBefore > 0) triesOfStalled = Math.max(triesOfStalled, fresh.length);
      if (fresh.length > 0) notBefore = 0;
      const answers = fresh.map(({ id, seq, data }) => {
        if (seq !== stored.length + 1) return refusal(id, "out-of-sequence", { expected: stored.length + 1 });
        const after = Math.max(fullAt, now) + 10;
        if (after <= now + 1_000) {
          fullAt = after;
          stored.push(data);
          return { type: "published", id, position: at(stored.length) };
        }
        waits++;
        notBefore = now + 100;
        return refusal(id, "rate-limited", { retryAfter: 100 });
      });
      if (answers.length > 0) await server.say(...answers);
    }
    expect(stored).toEqual(made.map(({ data }) => data));
    expect(early).toEqual([]);
    expect(waits).toBeGreaterThan(10);
    expect(triesOfStalled).toBe(1);
    // Most of what was sent was taken: the client found its pace.
    expect(answered).toBeLessThan(made.length * 2);
    expect(runtime.elapsed()).toBeLessThan(12_000);
  });

  it("a refused channel does not hold back another", async () => {
    const { client, publish, runtime, server } = await ready();
    await publish("a");
    await server.say(refusal(server.last("publish").id, "rate-limited", { retryAfter: 60_000 }));
    client.channel("room", "2").publish("message", "b");
    await runtime.settle();
    expect(server.last("publish")).toMatchObject({ channel: "room:2", data: "b" });
  });

  it("without a hint it waits with growing jitter", async () => {
    const { publish, runtime, server } = await ready();
    await publish("a");
    const waits: number[] = [];
    for (let round = 1; round <= 4; round++) {
      await server.say(refusal(server.last("publish").id, "storage-unavailable"));
      const from = runtime.elapsed();
      while (server.all("publish").length === round) await runtime.pass(1);
      waits.push(runtime.elapsed() - from);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000]);
  });

  it("W8: a wait that was told in vain grows to nine times of itself, and no further", async () => {
    const { publish, runtime, server } = await ready();
    await publish("a");
    const waits: number[] = [];
    for (let round = 1; round <= 12; round++) {
      await server.say(refusal(server.last("publish").id, "rate-limited", { retryAfter: 200 }));
      const from = runtime.elapsed();
      while (server.all("publish").length === round) await runtime.pass(1);
      waits.push(runtime.elapsed() - from);
    }
    expect(waits.slice(0, 4)).toEqual([200, 300, 400, 500]);
    expect(waits.slice(-4)).toEqual([1_000, 1_000, 1_000, 1_000]);
  });

  it("keeps to the wait it was told over a lost connection", async () => {
    const { publish, reconnected, runtime, server } = await ready();
    await publish("a", "b");
    await server.say(refusal(server.all("publish")[0]?.id ?? 0, "rate-limited", { retryAfter: 20_000 }));
    const second = await reconnected();
    expect(publishes(second)).toEqual([]);
    await runtime.pass(20_000);
    expect(publishes(second)).toEqual([[1, "a"]]);
  });

  it("out of sequence without a cause of its own: goes again at once from the first unsettled one", async () => {
    const { publish, runtime, server } = await ready();
    await publish("a", "b", "c");
    const ids = server.all("publish").map(({ id }) => id);
    await server.say(...ids.map((id) => refusal(id, "out-of-sequence", { expected: 1 })));
    await runtime.settle();
    await runtime.pass(0);
    expect(publishes(server).slice(3)).toEqual([
      [1, "a"],
      [2, "b"],
      [3, "c"],
    ]);
  });

  it("G2: a server that has lost the settled past gets the rest under a new producer, from 1", async () => {
    const { publish, reconnected, runtime, server } = await ready();
    await publish("a", "b");
    await server.store(server.all("publish"));
    const [c, d] = await publish("c", "d");
    const old = server.last("publish").producer;
    const second = await reconnected();
    const ids = second.all("publish").map(({ id }) => id);
    await second.say(...ids.map((id) => refusal(id, "out-of-sequence", { expected: 1 })));
    await runtime.pass(0);
    expect(publishes(second).slice(2)).toEqual([
      [1, "c"],
      [2, "d"],
    ]);
    const { producer } = second.last("publish");
    expect(producer).not.toBe(old);
    expect(c?.id).toBe(eventId(producer, 1, 0));
    await second.store(second.all("publish").slice(2), 7);
    expect(d?.status.get()).toMatchObject({ kind: "durable", position: at(8) });
    await publish("e");
    expect(second.last("publish")).toMatchObject({ producer, seq: 3 });
  });

  it("G2: a server that waits for an earlier one of ours, whose outcome is still open, gets the same producer", async () => {
    const { publish, runtime, server } = await ready();
    await publish("a", "b", "c");
    const { producer } = server.last("publish");
    const [a, b, c] = server.all("publish").map(({ id }) => id);
    await server.say(
      refusal(c ?? 0, "out-of-sequence", { expected: 1 }),
      refusal(b ?? 0, "out-of-sequence", { expected: 1 }),
      { type: "published", id: a, position: at(1) },
    );
    await runtime.pass(0);
    expect(
      server
        .all("publish")
        .slice(3)
        .map(({ seq, ...rest }) => [rest.producer, seq]),
    ).toEqual([
      [producer, 2],
      [producer, 3],
    ]);
  });

  it("what was sent goes again before anything new, whatever the channel", async () => {
    const { client, publish, reconnected, runtime } = await ready({ inFlight: 3 });
    const other = client.channel("room", "2");
    await publish("a1");
    for (const data of ["b1", "b2"]) other.publish("message", data);
    await runtime.settle();
    await publish("a2");
    const second = await reconnected({ limits: { inFlight: 1 } });
    for (let sent = 1; sent < 4; sent++) {
      await second.store([second.last("publish")], sent);
      await runtime.settle();
    }
    expect(second.all("publish").map(({ data }) => data)).toEqual(["a1", "b1", "b2", "a2"]);
  });
});

describe("settlements", () => {
  it("G5 G14: a final refusal comes back with its reason, and the next ones go on", async () => {
    const { client, publish, server } = await ready();
    const [a, b] = await publish("a", "b");
    const [first, second] = server.all("publish");
    const issues = [{ path: "text", message: "too long" }];
    await server.say(refusal(first?.id ?? 0, "invalid-data", { issues }), {
      type: "published",
      id: second?.id,
      position: at(1),
    });
    expect(a?.status.get()).toMatchObject({ kind: "rejected", error: { code: "invalid-data", issues } });
    await expect(a?.durable).rejects.toMatchObject({ code: "invalid-data" });
    expect(b?.status.get().kind).toBe("durable");
    expect(client.pending.get()).toBe(0);
  });

  it("G14: an outcome that is too old is unknown, and what is new goes under a new producer", async () => {
    const { publish, server } = await ready();
    const [a] = await publish("a");
    const old = server.last("publish").producer;
    await server.say(refusal(server.last("publish").id, "unknown-outcome"));
    expect(a?.status.get()).toMatchObject({ kind: "unknown", error: { code: "unknown-outcome" } });
    await expect(a?.durable).rejects.toMatchObject({ code: "unknown-outcome" });
    await publish("b");
    expect(server.last("publish").producer).not.toBe(old);
    expect(server.last("publish").seq).toBe(1);
  });

  it("G14: a producer that is refused after an unanswered attempt leaves the outcome unknown", async () => {
    const { publish, reconnected, server } = await ready();
    const [a] = await publish("a");
    expect(publishes(server)).toHaveLength(1);
    const second = await reconnected();
    await second.say(refusal(second.last("publish").id, "producer-invalid"));
    expect(a?.status.get()).toMatchObject({ kind: "unknown", error: { code: "producer-invalid" } });
    const [b] = await publish("b");
    await second.say(refusal(second.last("publish").id, "producer-invalid"));
    expect(b?.status.get()).toMatchObject({ kind: "rejected", error: { code: "producer-invalid" } });
  });

  it("a code that this version does not know is taken by whether it may pass", async () => {
    const { publish, server } = await ready();
    const [a] = await publish("a");
    await server.say(refusal(server.last("publish").id, "brand-new"));
    expect(a?.status.get()).toMatchObject({ kind: "rejected", error: { code: "internal", message: "brand-new" } });
  });

  it("a rejection that nobody watches is no unhandled one", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", note);
    const { publish, server } = await ready();
    await publish("a");
    await server.say(refusal(server.last("publish").id, "forbidden"));
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  it("a listener that throws breaks nothing", async () => {
    const { publish, room, runtime, server } = await ready();
    const publication = room.publish("message", 1);
    publication.status.subscribe(() => {
      throw new Error("mine");
    });
    await publish(2);
    await server.store(server.all("publish"));
    expect(runtime.errors).toEqual([new Error("mine"), new Error("mine")]);
    expect(publication.status.get().kind).toBe("durable");
  });
});

describe("bounds", () => {
  it("G11: what is over the queue is rejected at once", async () => {
    const { client, publish, server } = await ready({ queue: 2 });
    const made = await publish(1, 2, 3);
    expect(made.map(({ status }) => status.get().kind)).toEqual(["sent", "sent", "rejected"]);
    expect(made[2]?.status.get()).toMatchObject({ error: { code: "queue-full" } });
    await server.store(server.all("publish"));
    expect(client.pending.get()).toBe(0);
    expect((await publish(4))[0]?.status.get().kind).toBe("sent");
  });

  it.each([
    [128, {}, 300],
    [5, { inFlight: 5 }, 9],
  ])("G11: at most %i publishes are on their way, and the channels take turns", async (most, limits, count) => {
    const { client, runtime, server } = await ready({}, { limits });
    for (let index = 0; index < count; index++) client.channel("room", `${index % 2}`).publish("message", index);
    await runtime.settle();
    expect(server.all("publish")).toHaveLength(most);
    const firsts = server.all("publish").filter(({ channel }) => channel === "room:0").length;
    expect(Math.abs(firsts - most / 2)).toBeLessThan(1);
    await server.store(server.all("publish").slice(0, 2));
    expect(server.all("publish")).toHaveLength(most + 2);
    expect(
      server
        .all("publish")
        .slice(most)
        .map(({ channel }) => channel)
        .sort(),
    ).toEqual(["room:0", "room:1"]);
  });

  it("a channel with a long queue does not starve another when one place is free at a time", async () => {
    const { client, runtime, server } = await ready({ inFlight: 1 });
    for (let index = 0; index < 6; index++) client.channel("room", "1").publish("message", index);
    client.channel("room", "2").publish("message", "other");
    await runtime.settle();
    await server.store([server.last("publish")]);
    expect(server.last("publish").data).toBe("other");
  });

  it.each([[undefined], [() => 1], [10n], [Symbol("no")]])(
    "data that has no JSON is rejected at once: %s",
    async (data) => {
      const { publish, server } = await ready();
      const [publication] = await publish(data);
      expect(publication?.status.get()).toMatchObject({ kind: "rejected", error: { code: "invalid-data" } });
      const circle: Record<string, unknown> = {};
      circle.self = circle;
      expect((await publish(circle))[0]?.status.get()).toMatchObject({
        kind: "rejected",
        error: { code: "invalid-data" },
      });
      expect(publishes(server)).toEqual([]);
    },
  );

  it("G11: data over the server's limit is rejected by the client, and leaves no hole in the sequence", async () => {
    const here = world();
    const room = here.client.channel("room", "1");
    const early = [room.publish("message", "ü".repeat(40)), room.publish("message", "small")];
    const server = await here.connected({ limits: { eventBytes: 64 } });
    expect(early[0]?.status.get()).toMatchObject({ kind: "rejected", error: { code: "event-too-large" } });
    expect(publishes(server)).toEqual([[1, "small"]]);
    expect(room.publish("message", "x".repeat(63)).status.get()).toMatchObject({ kind: "rejected" });
    expect(room.publish("message", "x".repeat(62)).status.get()).toEqual({ kind: "queued" });
  });

  it("G11: a publish that does not fit into a frame is rejected by the client", async () => {
    const { publish, server } = await ready({}, { limits: { frameBytes: 1_024 } });
    const made = await publish("x".repeat(1_000), "small");
    expect(made.map(({ status }) => status.get().kind)).toEqual(["rejected", "sent"]);
    expect(publishes(server)).toEqual([[1, "small"]]);
  });

  it("the version of an event's schema goes along", async () => {
    const { room, runtime, server } = await ready();
    room.publish("message", 1, { version: 3 });
    await runtime.settle();
    expect(server.last("publish").version).toBe(3);
  });
});
