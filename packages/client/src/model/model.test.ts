import type { Table } from "@tandem/model";
import { cutPiece } from "@tandem/model";
import { eventId } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { ScriptedConnection } from "../testing/scripted-server.ts";
import { at } from "../testing/scripted-server.ts";
import { world } from "../testing/world.ts";
import { board } from "./board.fixture.ts";
import { model } from "./model.ts";

const channel = "room:1";

/** Answers the last question for a state with all of it. */
async function tellState(server: ScriptedConnection, offset: number, state: object = board.initial(), version = 1) {
  const { id } = server.last("state");
  const { json } = cutPiece(state, undefined, 1_024);
  const position = offset === 0 ? { epoch: "-", offset, tag: "" } : at(offset);
  await server.say({ type: "piece", id, channel, model: "board", version, position, piece: JSON.parse(json) });
}

async function stand(server: ScriptedConnection, offset: number) {
  const { id, from } = server.last("subscribe");
  expect(from).toMatchObject({ offset });
  await server.say({ type: "subscribed", id, channel, position: from, head: offset });
}

/** One event of the model at `offset`, as the server delivers it. */
function event(offset: number, type: string, data: unknown, id = `id-${offset}`, author = "bob") {
  const epoch = offset === 1 ? { epoch: "e1" } : {};
  const events = [{ offset, id, type: `board.${type}`, time: offset, author, data }];
  return { type: "events", channel, from: offset - 1, to: offset, tag: at(offset).tag, ...epoch, events };
}

async function ready(offset = 3) {
  const here = world();
  const room = here.client.channel("room", "1");
  const use = model(room, "board", board);
  const server = await here.connected();
  await tellState(server, offset);
  await stand(server, offset);
  const seen: unknown[] = [];
  use.state.subscribe(() => seen.push(use.state.get()));
  const value = () => {
    const state = use.state.get();
    return state.kind === "ready" ? state.value : undefined;
  };
  const told = (code: string, more: object = {}) => ({
    type: "error",
    id: server.last("command").id,
    code,
    message: code,
    retryable: false,
    ...more,
  });
  return { ...here, room, use, server, seen, value, told };
}

describe("loading a model's state", () => {
  it("takes it piece by piece, shows what is there so far, and goes on from its position", async () => {
    const { client, connected } = world();
    const use = model(client.channel("room", "1"), "board", board);
    const server = await connected();
    expect(server.last("state")).toMatchObject({ channel, model: "board", bytes: 16_384 });
    expect(server.last("state")).not.toHaveProperty("at");
    const piece = { type: "piece", channel, model: "board", version: 1, position: at(3) };
    const head = { head: { ...board.initial(), title: "so far" }, tables: ["notes"] };
    await server.say({ ...piece, id: server.last("state").id, piece: head, next: "notes" });
    expect(use.state.get()).toMatchObject({ kind: "loading", value: { title: "so far" }, pieces: 1 });
    expect(server.last("state")).toMatchObject({ at: at(3), after: "notes", bytes: 65_536 });
    await server.say({ ...piece, id: server.last("state").id, piece: { table: "notes", entries: [["a", 1]] } });
    const state = use.state.get();
    expect(state).toMatchObject({ kind: "ready", position: at(3) });
    expect(state.kind === "ready" && (state.value as unknown as { notes: Table<number> }).notes.get("a")).toBe(1);
    expect(server.last("subscribe")).toMatchObject({ channel, from: at(3) });
  });

  it("goes on with the same position on the next connection, and begins anew where the state is gone", async () => {
    const { client, connected, reconnected, runtime } = world();
    const use = model(client.channel("room", "1"), "board", board);
    const server = await connected();
    const piece = { type: "piece", channel, model: "board", version: 1, position: at(3) };
    const head = { head: board.initial(), tables: ["notes"] };
    await server.say({ ...piece, id: server.last("state").id, piece: head, next: "notes" });
    const back = await reconnected();
    expect(back.last("state")).toMatchObject({ at: at(3), after: "notes" });
    const gone = { type: "error", code: "state-gone", message: "gone", retryable: false };
    await back.say({ ...gone, id: back.last("state").id });
    await runtime.pass(1_000);
    expect(back.all("state")).toHaveLength(2);
    expect(back.last("state")).not.toHaveProperty("at");
    for (let tries = 1; tries < 8; tries++) {
      expect(use.state.get().kind).toBe("loading");
      await back.say({ ...gone, id: back.last("state").id });
      await runtime.pass(30_000);
    }
    expect(use.state.get()).toMatchObject({ kind: "failed", error: { code: "state-gone" } });
  });

  it("ends where it may not be read, or where the server's version is newer", async () => {
    const { client, connected, runtime } = world();
    const use = model(client.channel("room", "1"), "board", board);
    const server = await connected();
    const refusal = { type: "error", code: "forbidden", message: "no", retryable: false };
    await server.say({ ...refusal, id: server.last("state").id });
    expect(use.state.get()).toMatchObject({ kind: "failed", error: { code: "forbidden" } });
    const again = model(client.channel("room", "1"), "board", board);
    await runtime.settle();
    await tellState(server, 3, board.initial(), 2);
    expect(again.state.get()).toMatchObject({ kind: "failed", error: { code: "model-stopped" } });
  });

  it("is done anew where the history does not go on, and keeps what is pending", async () => {
    const { server, use, value, runtime } = await ready();
    use.send("put", { token: "mine" });
    await server.say({ type: "reset", channel, position: at(9, "e2"), reason: "epoch" });
    expect(use.state.get()).toMatchObject({ kind: "loading", value: { tokens: ["mine"] } });
    await runtime.pass(0);
    expect(server.all("state")).toHaveLength(2);
    await tellState(server, 9, { ...board.initial(), title: "new" });
    // It was on its way: only its answer tells whether the state has it.
    expect(value()).toMatchObject({ title: "new", tokens: [] });
    await server.say({ type: "published", id: server.last("command").id, position: at(10) });
    expect(value()?.tokens).toEqual(["mine"]);
  });

  it("a command that a restored backup has taken back goes with the state that was there before", async () => {
    const { server, use, value, runtime } = await ready();
    const { settled } = use.send("put", { token: "mine" });
    await runtime.settle();
    await server.say({ type: "published", id: server.last("command").id, position: at(5) });
    expect((await settled).kind).toBe("confirmed");
    expect(value()?.tokens).toEqual(["mine"]);
    await server.say({ type: "reset", channel, position: at(2), reason: "ahead" });
    await runtime.pass(0);
    await tellState(server, 2);
    expect(value()?.tokens).toEqual([]);
  });

  it("is done anew where what was answered does not come: a restored backup may end before it", async () => {
    const { server, use, value, runtime } = await ready();
    use.send("put", { token: "seen" });
    await runtime.settle();
    await server.say({ type: "published", id: server.last("command").id, position: at(4) });
    await runtime.pass(6_000);
    await server.say(event(4, "titled", { title: "t" }));
    use.send("put", { token: "lost" });
    await runtime.settle();
    await server.say({ type: "published", id: server.last("command").id, position: at(9) });
    await runtime.pass(9_999);
    // Who reads slowly gets on.
    await server.say(event(5, "titled", { title: "t" }));
    await runtime.pass(9_999);
    expect(server.all("state")).toHaveLength(1);
    expect(value()?.tokens).toEqual(["lost"]);
    await runtime.pass(1);
    expect(server.all("state")).toHaveLength(2);
    expect(server.last("state")).toMatchObject({ atLeast: at(9) });
    for (let refusal = 0; refusal < 3; refusal++) {
      const { id } = server.last("state");
      await server.say({ type: "error", id, code: "not-yet", message: "", retryable: true, retryAfter: 100 });
      await runtime.pass(100);
    }
    await tellState(server, 5, { ...board.initial(), title: "t" });
    expect(value()).toMatchObject({ title: "t", tokens: [] });
    await runtime.pass(60_000);
    expect(server.all("state")).toHaveLength(5);
  });

  it("events of one frame are one change, and share what stayed the same", async () => {
    const { server, seen, value } = await ready();
    await server.say(event(4, "put", { token: "a" }), event(5, "put", { token: "b" }));
    expect(seen).toMatchObject([{ kind: "ready", value: { tokens: ["a", "b"] }, position: at(5) }]);
    const before = value();
    await server.say(event(6, "titled", { title: "t" }));
    expect(value()?.tokens).toBe(before?.tokens);
  });

  it("stops at an event that it does not know", async () => {
    const { server, use } = await ready();
    await server.say(event(4, "painted", {}));
    expect(use.state.get()).toMatchObject({ kind: "failed", error: { code: "model-stopped" } });
    expect(server.all("unsubscribe")).toHaveLength(1);
  });
});

describe("a command", () => {
  it("takes effect at once, is sent, and is shown once when its event comes, before or after its answer", async () => {
    const { server, use, seen, value, runtime } = await ready();
    const first = use.send("put", { token: "a" });
    expect(value()?.tokens).toEqual(["a"]);
    expect(first.status.get()).toEqual({ kind: "pending", stage: "queued" });
    await runtime.settle();
    const command = server.last("command");
    expect(command).toMatchObject({
      channel,
      model: "board",
      command: "put",
      version: 1,
      input: { token: "a" },
      seq: 1,
    });
    expect(command.nonce).toHaveLength(22);
    expect(first.status.get()).toEqual({ kind: "pending", stage: "sent" });
    await server.say({ type: "published", id: command.id, position: at(4) });
    expect([value()?.tokens, use.pending.get()]).toEqual([["a"], 0]);
    expect(await first.settled).toEqual({ kind: "confirmed", position: at(4) });
    await server.say(event(4, "put", { token: "a" }, eventId(command.producer, 1, 0), "ada"));
    expect(value()?.tokens).toEqual(["a"]);
    const second = use.send("put", { token: "b" });
    await runtime.settle();
    await server.say(event(5, "put", { token: "b" }, eventId(command.producer, 2, 0), "ada"));
    expect([value()?.tokens, use.pending.get()]).toEqual([["a", "b"], 1]);
    await server.say({ type: "published", id: server.last("command").id, position: at(5) });
    expect(second.status.get()).toMatchObject({ kind: "confirmed" });
    for (const state of seen) expect(state).toMatchObject({ kind: "ready" });
  });

  it("counts as pending, as far as listeners of the state see, from when they are shown it", async () => {
    const { server, use, runtime } = await ready();
    const pending: number[] = [];
    use.state.subscribe(() => pending.push(use.pending.get()));
    use.send("put", { token: "a" });
    use.send("put", { token: "b" });
    await runtime.settle();
    await server.say({ type: "published", id: server.all("command")[0]?.id, position: at(4) });
    const first = server.all("command")[0];
    await server.say(event(4, "put", { token: "a" }, eventId(first?.producer ?? "", 1, 0), "ada"));
    expect(pending).toEqual([1, 2, 1]);
  });

  it("is rolled back with the model's reason when it is refused", async () => {
    const { server, use, value, runtime, told } = await ready();
    const sent = use.send("put", { token: "a" });
    await runtime.settle();
    await server.say(told("rejected", { reason: { code: "full" } }));
    expect(value()?.tokens).toEqual([]);
    expect(await sent.settled).toMatchObject({ kind: "rejected", reason: { code: "full" } });
    const wrong = use.send("put", { token: 3 } as never);
    expect(value()?.tokens).toEqual([]);
    await runtime.settle();
    await server.say(told("invalid-data"));
    expect(await wrong.settled).toMatchObject({ kind: "rejected", reason: undefined, error: { code: "invalid-data" } });
  });

  it("works without a connection: in order with publishes on the way back, the same at every attempt", async () => {
    const { client, room, use, value, runtime, connected, reconnected } = await ready();
    client.disconnect();
    use.send("put", { token: "a" });
    room.publish("message", 1, { fence: { name: "board/x", token: 7 } });
    use.send("put", { token: "b" }, { fence: { name: "board/x", token: 7 } });
    expect(value()?.tokens).toEqual(["a", "b"]);
    client.connect();
    await runtime.settle();
    const writes = (server: ScriptedConnection) =>
      server.messages
        .filter((message) => message.type === "command" || message.type === "publish")
        .map(({ id: _, ...message }) => message);
    const first = await connected();
    expect(writes(first)).toMatchObject([
      { type: "command", input: { token: "a" }, seq: 1 },
      { type: "publish", data: 1, seq: 2, fence: { name: "board/x", token: 7 } },
      { type: "command", input: { token: "b" }, seq: 3, fence: { name: "board/x", token: 7 } },
    ]);
    expect(writes(await reconnected())).toEqual(writes(first));
  });

  it("is decided anew on what others do", async () => {
    const { server, use, value } = await ready();
    use.send("title", { from: "", to: "mine" });
    expect(value()?.title).toBe("mine");
    await server.say(event(4, "titled", { title: "theirs" }));
    expect(value()?.title).toBe("theirs");
  });
});

describe("undo and redo", () => {
  it("take back own commands, the last one first, and do them again", async () => {
    const { use, value } = await ready();
    expect([use.canUndo.get(), use.canRedo.get(), use.undo()]).toEqual([false, false, undefined]);
    use.send("put", { token: "a" });
    use.send("title", { from: "", to: "t" });
    use.undo();
    expect([value()?.title, value()?.tokens, use.canRedo.get()]).toEqual(["", ["a"], true]);
    use.undo();
    expect([value()?.tokens, use.canUndo.get()]).toEqual([[], false]);
    use.redo();
    use.redo();
    expect([value()?.title, value()?.tokens, use.canRedo.get()]).toEqual(["t", ["a"], false]);
    use.undo();
    use.send("put", { token: "b" });
    expect([use.canRedo.get(), use.canUndo.get()]).toEqual([false, true]);
  });

  it("a refused command is nothing to take back", async () => {
    const { use, server, runtime, told } = await ready();
    use.send("put", { token: "a" });
    await runtime.settle();
    await server.say(told("rejected", { reason: { code: "full" } }));
    expect([use.canUndo.get(), use.undo()]).toEqual([false, undefined]);
  });
});

describe("conflicts", () => {
  it("are listed with both sides, and can be restored or dismissed", async () => {
    const { use, server, runtime, told, value } = await ready();
    use.send("title", { from: "", to: "mine" });
    await runtime.settle();
    const restore = { command: "title", input: { from: "theirs", to: "mine" } };
    const reason = { code: "conflict", path: ["title"], mine: "mine", theirs: "theirs", by: "bob", at: 7, restore };
    await server.say(event(4, "titled", { title: "theirs" }), told("rejected", { reason }));
    const [conflict] = use.conflicts.get();
    expect(conflict).toMatchObject({ path: ["title"], mine: "mine", theirs: "theirs", by: "bob", at: 7 });
    conflict?.restore?.();
    expect([value()?.title, use.conflicts.get()]).toEqual(["mine", []]);
    await runtime.settle();
    await server.say(told("rejected", { reason: { ...reason, restore: undefined } }));
    expect(use.conflicts.get()[0]?.restore).toBeUndefined();
    use.conflicts.get()[0]?.dismiss();
    expect(use.conflicts.get()).toEqual([]);
  });

  it("G11: are 50 at most", async () => {
    const { use, server, runtime } = await ready();
    for (let n = 0; n < 60; n++) use.send("title", { from: "x", to: `${n}` });
    await runtime.settle();
    for (const { id, input } of server.all("command")) {
      const reason = { code: "conflict", path: ["title"], mine: (input as { to: string }).to, theirs: "", at: 1 };
      await server.say({ type: "error", id, code: "rejected", message: "no", retryable: false, reason });
    }
    expect(use.conflicts.get()).toHaveLength(50);
    expect(use.conflicts.get()[0]?.mine).toBe("10");
  });
});

describe("a model's past", () => {
  it("its state at a position is loaded apart", async () => {
    const { use, server, value, runtime } = await ready();
    const then = use.at(at(2));
    await runtime.settle();
    expect(server.last("state")).toMatchObject({ at: at(2) });
    await tellState(server, 2, { ...board.initial(), title: "then" });
    expect((await then).title).toBe("then");
    expect(value()?.title).toBe("");
    const gone = use.at(at(1));
    await runtime.settle();
    await server.say({ type: "error", id: server.last("state").id, code: "state-gone", message: "", retryable: false });
    await expect(gone).rejects.toMatchObject({ code: "state-gone" });
  });

  it("tells who changed what", async () => {
    const { use, server, runtime } = await ready();
    const changes = use.changes({ path: "tokens/a", limit: 1 });
    await runtime.settle();
    const { events } = event(7, "put", { token: "a" });
    const others = [event(8, "put", { token: "ab" }), event(9, "titled", { title: "x" })].flatMap(
      ({ events }) => events,
    );
    await server.say({
      type: "page",
      id: server.last("history").id,
      epoch: "e1",
      events: [...events, ...others],
      next: 7,
    });
    expect(await changes).toEqual({
      changes: [{ offset: 7, id: "id-7", type: "put", data: { token: "a" }, by: "bob", at: 7, touches: ["tokens/a"] }],
      next: 7,
    });
  });
});

describe("uses of one model", () => {
  it("share one copy; the last one that is closed leaves the channel, and what was sent is settled", async () => {
    const { use, server, room, runtime } = await ready();
    const other = model(room, "board", board);
    const sent = use.send("put", { token: "a" });
    expect(other.state.get()).toBe(use.state.get());
    expect(other.canUndo.get()).toBe(false);
    await runtime.settle();
    use.close();
    expect(server.all("unsubscribe")).toEqual([]);
    other.close();
    await runtime.settle();
    expect(server.all("unsubscribe")).toHaveLength(1);
    await server.say({ type: "published", id: server.last("command").id, position: at(4) });
    expect(sent.status.get()).toMatchObject({ kind: "confirmed" });
    expect(use.send("put", { token: "b" }).status.get()).toMatchObject({ kind: "rejected", error: { code: "closed" } });
  });

  it("M16: show what is not settled also where all were closed meanwhile", async () => {
    const { room, client, use, connected, runtime } = await ready();
    client.disconnect();
    use.send("put", { token: "a" });
    use.close();
    const again = model(room, "board", board);
    expect(again.pending.get()).toBe(1);
    expect(again.state.get()).toMatchObject({ kind: "loading", value: { tokens: ["a"] } });
    client.connect();
    const server = await connected();
    await tellState(server, 3);
    await stand(server, 3);
    await server.say({ type: "published", id: server.last("command").id, position: at(4) });
    expect(again.state.get()).toMatchObject({ kind: "ready", value: { tokens: ["a"] } });
    await server.say(event(4, "put", { token: "a" }, eventId(server.last("command").producer, 1, 0), "ada"));
    expect(again.state.get()).toMatchObject({ kind: "ready", value: { tokens: ["a"] } });
    expect(again.pending.get()).toBe(0);
    again.close();
    await runtime.settle();
    // With nothing of it unsettled, and nobody who uses it, nothing of it is kept.
    expect(server.all("unsubscribe")).toHaveLength(1);
    expect(model(room, "board", board).state).not.toBe(again.state);
  });

  it("keep nothing once what was sent is settled after all were closed", async () => {
    const { room, use, server, runtime } = await ready();
    use.send("put", { token: "a" });
    await runtime.settle();
    use.close();
    await server.say({ type: "published", id: server.last("command").id, position: at(4) });
    expect(model(room, "board", board).state).not.toBe(use.state);
    expect(server.all("subscribe")).toHaveLength(1);
  });

  it("end with the client", async () => {
    const { use, client, runtime } = await ready();
    const sent = use.send("put", { token: "a" });
    const then = use.at(at(1));
    void client.close();
    await runtime.settle();
    await expect(then).rejects.toMatchObject({ code: "closed" });
    expect(await sent.settled).toMatchObject({ kind: "rejected", error: { code: "closed" } });
    expect(use.state.get()).toMatchObject({ kind: "failed", error: { code: "closed" } });
  });
});
