import type { ChatState, StreamState } from "@tandem/model";
import { textOf } from "@tandem/model";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster } from "../cluster.fixture.ts";
import type { StreamOptions } from "./stream-writer.ts";

const TEXT = "text:1";

async function soon<T>(world: Cluster, promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  await world.settle();
  return promise;
}

function open(world: Cluster, more: Partial<StreamOptions> = {}, node = 0) {
  const parent = {
    channel: "room:1",
    event: "message",
    user: "ada",
  };
  return soon(
    world,
    world
      .node(node)
      .application("acme")
      .stream({ channel: TEXT, parent, ...more }),
  );
}

async function stateOf(world: Cluster, node = 0): Promise<StreamState> {
  return (await soon(world, world.node(node).application("acme").model(TEXT, "stream").state())).state as StreamState;
}

async function told(world: Cluster, channel = "room:1", node = 0) {
  return (await soon(world, world.node(node).application("acme").history(channel, { limit: 500 }))).events;
}

describe("a stream", () => {
  it("gathers what is written, and tells its whole once, before its end", async () => {
    const world = await cluster();
    const writer = await open(world);
    for (const word of ["Once ", "upon ", "a time"]) writer.write(word);
    await world.advance(20);
    expect([textOf(await stateOf(world)), (await stateOf(world)).count]).toEqual(["Once upon a time", 1]);
    writer.write(".");
    await soon(world, Promise.all([writer.finish(), writer.finish()]));
    expect(await stateOf(world)).toMatchObject({ status: { kind: "finished" }, length: 17 });
    expect(await told(world)).toMatchObject([{ author: "ada", data: { text: "Once upon a time." } }]);
    expect(() => writer.write("more")).toThrow(/ended/);
  });

  it("goes as a whole a while after its end", async () => {
    const world = await cluster();
    const writer = await open(world, { keep: 5_000 });
    writer.write("text");
    await soon(world, writer.finish());
    await world.advance(4_000);
    expect((await told(world, TEXT)).length).toBeGreaterThan(0);
    await world.advance(1_500);
    expect(await told(world, TEXT)).toEqual([]);
    expect((await stateOf(world)).status.kind).toBe("unopened");
    expect((await told(world)).length).toBe(1);
  });

  it("is read by many, from any chunk on", async () => {
    const world = await cluster({ nodes: 2 });
    const writer = await open(world);
    const [ada, bob] = [await world.client("ada"), await world.client("bob", 1)];
    await ada.subscribe(TEXT);
    writer.write("one ");
    await world.advance(20);
    writer.write("two ");
    await world.advance(20);
    const [, second] = ada.events(TEXT);
    await bob.subscribe(TEXT, { from: { last: 1 } });
    writer.write("three");
    await world.advance(20);
    const texts = (client: typeof ada) => client.events(TEXT).map(({ data }) => (data as { text: string }).text);
    expect(second).toMatchObject({ type: "stream.appended" });
    expect(texts(ada)).toEqual(["one ", "two ", "three"]);
    expect(texts(bob)).toEqual(["two ", "three"]);
  });

  it("is asked to stop by who may read it; who goes away stops nothing", async () => {
    const world = await cluster();
    const writer = await open(world);
    const [ada, bob] = [await world.client("ada"), await world.client("bob")];
    await ada.subscribe(TEXT);
    await bob.subscribe(TEXT);
    bob.leave();
    writer.write("Once");
    await world.advance(1_000);
    expect(writer.signal.aborted).toBe(false);
    const command = { ...ada.commanding(TEXT, 1, "stop", {}), model: "stream", version: 1 };
    expect(await ada.ask(command)).toMatchObject({ type: "published" });
    expect(writer.signal.reason).toMatchObject({ name: "AbortError", message: "stopped" });
    await soon(world, writer.abort("stopped"));
    expect(await stateOf(world)).toMatchObject({ status: { kind: "aborted", reason: "stopped" }, stop: { by: "ada" } });
    expect(await told(world)).toMatchObject([{ data: { text: "Once" } }]);
  });

  it("lasts while its writer does, also without a word", async () => {
    const world = await cluster();
    const writer = await open(world);
    await world.advance(60_000);
    expect((await stateOf(world)).status.kind).toBe("open");
    await soon(world, writer.finish());
  });

  it("M24: whose writer died is ended by another node: the parent is told what was written, once, then it is aborted, and goes", async () => {
    const world = await cluster({ nodes: 3 });
    const writer = await open(world, {}, 1);
    writer.write("Once");
    await world.advance(20);
    world.node(1).destroy();
    world.log(1).failing = { append: "before" };
    await world.advance(17_000);
    expect(await stateOf(world)).toMatchObject({ status: { kind: "aborted", reason: "lost" }, length: 4 });
    expect(await told(world)).toMatchObject([{ author: "ada", data: { text: "Once" } }]);
    const types = (await told(world, TEXT)).map(({ type }) => type);
    expect(types.slice(-2)).toEqual(["stream.lapsed", "stream.aborted"]);
    await world.advance(12_000);
    expect((await stateOf(world)).status.kind).toBe("unopened");
    expect(await told(world)).toHaveLength(1);
  });

  it.each([true, false])(
    "M24: is told to a chat as the text of the message that it is of, also where its writer died (%s)",
    async (dies) => {
      const world = await cluster({ nodes: 2 });
      const talk = world.node(0).application("acme").model("talk:1", "chat");
      await soon(world, talk.command("begin", { stream: TEXT }, { user: "ada" }));
      const [id = ""] = ((await soon(world, talk.state())).state as ChatState).items.keys();
      const parent = { channel: "talk:1", user: "ada", model: "chat", command: "finish", input: { id } };
      const writer = await open(world, { parent }, 1);
      // Longer than a message that a user may write.
      const text = "Once upon a time. ".repeat(500);
      writer.write(text);
      await world.advance(20);
      if (dies) {
        world.node(1).destroy();
        world.log(1).failing = { append: "before" };
        await world.advance(17_000);
      } else await soon(world, writer.finish());
      const message = ((await soon(world, talk.state())).state as ChatState).items.get(id);
      expect(message).toMatchObject({ by: "ada", text, ...(dies && { aborted: "lost" }) });
      expect(message?.stream).toBeUndefined();
    },
  );

  it("is as long as one event of its parent, also in a chat of short messages, and takes no more than that", async () => {
    const world = await cluster({ limits: { eventBytes: 16_384 } });
    const talk = world.node().application("acme").model("talk:1", "chat");
    await soon(world, talk.command("begin", { stream: TEXT }, { user: "ada" }));
    const [id = ""] = ((await soon(world, talk.state())).state as ChatState).items.keys();
    const parent = { channel: "talk:1", user: "ada", model: "chat", command: "finish", input: { id } };
    const writer = await open(world, { parent });
    // Six bytes of JSON each.
    const word = "\u0001".repeat(250);
    let text = "";
    const write = () => {
      writer.write(word);
      text += word;
    };
    for (let words = 0; words < 9; words++) write();
    await world.advance(20);
    expect(() => {
      for (;;) write();
    }).toThrow("does not fit");
    expect(text.length * 6).toBeGreaterThan(16_384 - 6 * word.length - 1_000);
    await soon(world, writer.abort("x".repeat(600)));
    const message = ((await soon(world, talk.state())).state as ChatState).items.get(id);
    expect(message).toMatchObject({ text, aborted: "x".repeat(500) });
  });

  it("M24: whose writer died between the word to the parent and its end tells nothing else", async () => {
    const world = await cluster({ nodes: 2 });
    const writer = await open(world, {}, 1);
    writer.write("Once");
    await world.advance(20);
    // The word is stored, and the writer never hears of it.
    world.log(1).late = { append: new Promise(() => undefined) };
    void writer.finish();
    await world.settle();
    expect(await told(world)).toHaveLength(1);
    world.node(1).destroy();
    await world.advance(40_000);
    expect(await told(world)).toMatchObject([{ data: { text: "Once" } }]);
    expect((await stateOf(world)).status.kind).toBe("unopened");
  });

  it("M24: tells one outcome also where its writer was thought lost, and lives", async () => {
    const world = await cluster({ nodes: 2 });
    const writer = await open(world, {}, 1);
    writer.write("Once ");
    await world.advance(20);
    world.log(1).failing = { append: "before" };
    await world.advance(17_000);
    expect(writer.signal.aborted).toBe(true);
    world.log(1).failing = {};
    writer.write("more");
    await expect(soon(world, writer.finish())).rejects.toMatchObject({ code: "closed" });
    await world.advance(2_000);
    expect(await told(world)).toMatchObject([{ data: { text: "Once " } }]);
    expect((await stateOf(world)).status).toMatchObject({ kind: "aborted", reason: "lost" });
  });

  it("is ended all the same where its parent does not take what was written", async () => {
    const world = await cluster({ nodes: 2 });
    const parent = { channel: "room:1", event: "unheard-of" };
    const writer = await open(world, { parent, keep: 1_000 }, 1);
    writer.write("Once");
    await world.advance(20);
    world.node(1).destroy();
    world.log(1).failing = { append: "before" };
    await world.advance(20_000);
    expect((await stateOf(world)).status.kind).toBe("unopened");
    expect(await told(world)).toEqual([]);
  });

  it("cuts long text in chunks, and no letter in two", async () => {
    const world = await cluster();
    const writer = await open(world);
    const text = `a${"😀".repeat(5_000)}`;
    for (const half of text) writer.write(half);
    writer.write("\ud83d");
    await world.advance(40);
    expect(textOf(await stateOf(world))).toBe(text);
    writer.write("\ude00");
    await world.advance(40);
    const { chunks, count } = await stateOf(world);
    expect(textOf({ chunks, count })).toBe(`${text}😀`);
    expect([...chunks.values()].every((chunk) => chunk.isWellFormed())).toBe(true);
    await soon(world, writer.finish());
  });

  it("whose result is refused is aborted, and says why", async () => {
    const world = await cluster();
    const writer = await open(world, { parent: { channel: "room:1", event: "unheard-of" } });
    writer.write("Once");
    await expect(soon(world, writer.finish())).rejects.toMatchObject({ code: "invalid-event" });
    expect((await stateOf(world)).status.kind).toBe("aborted");
  });

  it("is opened once", async () => {
    const world = await cluster();
    const writer = await open(world);
    await expect(open(world)).rejects.toMatchObject({ code: "rejected", reason: { code: "opened" } });
    await soon(world, writer.abort());
  });
});
