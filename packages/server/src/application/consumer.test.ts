import type { ChannelEvent } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import { cluster, numbers } from "../cluster.fixture.ts";

const textOf = ({ data }: ChannelEvent) => (data as { text: string }).text;

describe("a durable consumer", () => {
  it("handles every event in order, and goes on after a restart where it stood", async () => {
    const world = await cluster({ nodes: 2 });
    await world.fill("room:1", 5);
    const seen: string[] = [];
    const handler = (event: ChannelEvent) => void seen.push(textOf(event));
    const consumer = await world.node().application("acme").consume("mailer", "room:1", handler);
    await world.settle();
    await world.fill("room:1", 2, 0, (n) => `${n + 5}`);
    expect(seen).toEqual(numbers(7));
    await consumer.stop();
    await world.fill("room:1", 2, 0, (n) => `${n + 7}`);
    expect(seen).toEqual(numbers(7));
    await world.node(1).application("acme").consume("mailer", "room:1", handler);
    await world.settle();
    expect(seen).toEqual(numbers(9));
    expect(world.log(1).count("loadConsumer")).toBe(1);
  });

  it("begins with what comes next, where it is told so", async () => {
    const world = await cluster();
    await world.fill("room:1", 3);
    const seen: string[] = [];
    const handler = (event: ChannelEvent) => void seen.push(textOf(event));
    await world.node().application("acme").consume("mailer", "room:1", handler, { from: "now" });
    await world.fill("room:1", 1, 0, () => "next");
    expect(seen).toEqual(["next"]);
  });

  it("has its place from its start on: what comes while nobody runs it is handled by the next one", async () => {
    const world = await cluster({ nodes: 2 });
    await world.fill("room:1", 3);
    const seen: string[] = [];
    const handler = (event: ChannelEvent) => void seen.push(textOf(event));
    const first = await world.node().application("acme").consume("mailer", "room:1", handler, { from: "now" });
    await first.stop();
    await world.fill("room:1", 2, 0, (n) => `later ${n}`);
    await world.node(1).application("acme").consume("mailer", "room:1", handler, { from: "now" });
    await world.settle();
    expect(seen).toEqual(["later 1", "later 2"]);
  });

  it("rejects its start where it has no place, and none can be stored", async () => {
    const world = await cluster();
    world.log().failing = { saveConsumer: "before" };
    const asked = world
      .node()
      .application("acme")
      .consume("mailer", "room:1", () => {});
    await expect(asked).rejects.toMatchObject({ code: "storage-unavailable" });
  });

  it("tries an event again while its handler fails, holds back the rest, and counts the attempts", async () => {
    const world = await cluster();
    await world.fill("room:1", 2);
    const seen: string[] = [];
    await world
      .node()
      .application("acme")
      .consume("mailer", "room:1", (event, attempt) => {
        seen.push(`${textOf(event)} attempt ${attempt}`);
        if (textOf(event) === "1" && attempt < 4) throw new Error("not yet");
      });
    await world.advance(60_000);
    expect(seen).toEqual(["1 attempt 1", "1 attempt 2", "1 attempt 3", "1 attempt 4", "2 attempt 1"]);
  });

  it("gives an event to onFailed after its attempts, until that takes it, and goes on", async () => {
    const world = await cluster();
    await world.fill("room:1", 2);
    const seen: string[] = [];
    let failures = 0;
    const consumer = await world
      .node()
      .application("acme")
      .consume(
        "mailer",
        "room:1",
        (event) => {
          if (textOf(event) === "1") throw new Error("never");
          seen.push(textOf(event));
        },
        {
          attempts: 3,
          onFailed(event, error) {
            if (++failures < 3) throw new Error("the shelf is full");
            seen.push(`gave up ${textOf(event)}: ${(error as Error).message}`);
          },
        },
      );
    await world.advance(60_000);
    expect(seen).toEqual(["gave up 1: never", "2"]);
    expect(consumer.position).toMatchObject({ offset: 2 });
  });

  it("at least once: an event whose position could not be stored comes again after a restart", async () => {
    const world = await cluster();
    await world.fill("room:1", 2);
    const seen: string[] = [];
    const handler = (event: ChannelEvent) => void seen.push(textOf(event));
    const application = world.node().application("acme");
    const consumer = await application.consume("mailer", "room:1", handler);
    world.log().failing = { saveConsumer: "before" };
    await world.advance(5_000);
    expect(seen).toEqual(["1"]);
    const stopped = consumer.stop();
    await world.settle();
    await stopped;
    world.log().failing = {};
    await application.consume("mailer", "room:1", handler);
    await world.settle();
    expect(seen).toEqual(["1", "1", "2"]);
  });

  it("goes on by itself when its position can be stored again", async () => {
    const world = await cluster();
    await world.fill("room:1", 2);
    const seen: string[] = [];
    const consumer = await world
      .node()
      .application("acme")
      .consume("mailer", "room:1", (event) => void seen.push(textOf(event)));
    world.log().failing = { saveConsumer: "before" };
    await world.advance(5_000);
    world.log().failing = {};
    await world.advance(60_000);
    expect(seen).toEqual(["1", "2"]);
    expect(consumer.position).toMatchObject({ offset: 2 });
  });

  it("stops at once while it waits to try again", async () => {
    const world = await cluster();
    await world.fill("room:1", 1);
    const consumer = await world
      .node()
      .application("acme")
      .consume("mailer", "room:1", () => {
        throw new Error("never");
      });
    await world.advance(300_000);
    let stopped = false;
    void consumer.stop().then(() => {
      stopped = true;
    });
    await world.settle();
    expect(stopped).toBe(true);
    expect(consumer.position).toMatchObject({ offset: 0 });
  });

  it("is told reset under way, and goes on from the oldest event that is kept", async () => {
    const world = await cluster({ nodes: 2 });
    await world.fill("room:1", 3);
    const seen: unknown[] = [];
    let told = 0;
    const consumer = await world
      .node(1)
      .application("acme")
      .consume("mailer", "room:1", (event) => void seen.push(textOf(event)), {
        onReset(reason) {
          if (++told === 1) throw new Error("not ready");
          seen.push(reason);
        },
      });
    await world.settle();
    world.bus.loses = () => true;
    await world.node(0).application("acme").remove("room:1");
    await world.fill("room:1", 2, 0, (n) => `new ${n}`);
    await world.advance(10_000);
    expect(seen).toEqual(["1", "2", "3", "epoch", "new 1", "new 2"]);
    expect(consumer.position).toMatchObject({ offset: 2 });
  });

  it("is told reset at its start, where the history does not go on from its stored position", async () => {
    const world = await cluster();
    const application = world.node().application("acme");
    await world.fill("kept:1", 10);
    const seen: unknown[] = [];
    const first = await application.consume("mailer", "kept:1", () => {}, { from: "now" });
    await world.settle();
    await first.stop();
    await world.log().log.saveConsumer({
      name: "mailer",
      channel: "acme/kept:1",
      position: { epoch: (await application.head("kept:1")).epoch, offset: 1, tag: "AAAAAAAA" },
    });
    await application.consume("mailer", "kept:1", (event) => void seen.push(textOf(event)), {
      onReset: (reason) => void seen.push(reason),
    });
    await world.settle();
    expect(seen).toEqual(["rewritten", ...numbers(10)]);
  });

  it("is told no reset at its start on a node that was behind what has been trimmed", async () => {
    const world = await cluster({ nodes: 2 });
    await world.fill("kept:1", 3);
    const behind = world.node(1).application("acme");
    await behind.subscribe("kept:1", { onEvents: () => {} });
    world.bus.loses = () => true;
    const seen: unknown[] = [];
    const handler = (event: ChannelEvent) => void seen.push(textOf(event));
    const first = await world.node(0).application("acme").consume("mailer", "kept:1", handler);
    await world.fill("kept:1", 47, 0, (n) => `${n + 3}`);
    await first.stop();
    expect(seen).toEqual(numbers(50));
    const bounds = { count: 20, bytes: undefined, before: undefined };
    expect(await world.log().log.trim("acme/kept:1", bounds)).toMatchObject({ first: 31 });
    await behind.consume("mailer", "kept:1", handler, { onReset: (reason) => void seen.push(reason) });
    await world.settle();
    expect(seen).toEqual(numbers(50));
    await world.fill("kept:1", 1, 1, () => "51");
    expect(seen).toEqual(numbers(51));
  });

  it("does not tell that it stands at the head while a reset at its start is not taken", async () => {
    const world = await cluster();
    const application = world.node().application("acme");
    await world.fill("room:1", 5);
    const { epoch } = await application.head("room:1");
    const stored = { epoch, offset: 2, tag: "AAAAAAAA" };
    await world.log().log.saveConsumer({ name: "mailer", channel: "acme/room:1", position: stored });
    const consumer = await application.consume("mailer", "room:1", () => {}, {
      onReset() {
        throw new Error("not ready");
      },
    });
    await world.settle();
    expect(consumer.position).toEqual(stored);
  });

  it("rejects its start when the log cannot be read, and leaves nothing behind", async () => {
    const world = await cluster();
    await world.fill("room:1", 1);
    world.log().failing = { loadConsumer: "before" };
    const asked = world
      .node()
      .application("acme")
      .consume("mailer", "room:1", () => {});
    await expect(asked).rejects.toMatchObject({ code: "storage-unavailable" });
  });
});
