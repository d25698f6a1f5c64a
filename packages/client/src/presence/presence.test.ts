import type { Member } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { ScriptedConnection } from "../testing/scripted-server.ts";
import { world } from "../testing/world.ts";
import type { Activity } from "./activity.ts";
import { presence } from "./presence.ts";
import { signals } from "./signals.ts";

const channel = "room:42";
const OWN = "own-device-1";

const member = (device: string, user: string, more: Partial<Member> = {}): Member => ({
  device: device.padEnd(12, "-"),
  user,
  status: "active",
  since: 1,
  ...more,
});

const members = (list: Member[], more: object = {}) => ({
  type: "members" as const,
  channel,
  members: list,
  count: list.length,
  signalMs: 50,
  ...more,
});

/** Answers what was asked, each request of a type with its own answer. */
async function answer(server: ScriptedConnection, type: "watch" | "enter" | "leave" | "unwatch"): Promise<void> {
  const answers = { watch: "watching", enter: "entered", leave: "left", unwatch: "unwatched" };
  await server.say({ type: answers[type], id: server.last(type).id, channel });
}

function activityOf(first: Activity = "active") {
  const source = { activity: first, changed: () => {}, listens: 0 };
  return {
    become(next: Activity) {
      source.activity = next;
      source.changed();
    },
    source,
    port: {
      now: () => source.activity,
      listen: (listener: () => void) => {
        source.changed = listener;
        source.listens++;
        return () => void source.listens--;
      },
    },
  };
}

describe("presence", () => {
  it("R1: enters and watches, and shows one member per user", async () => {
    const { client, connected, runtime } = world();
    const here = presence(client.channel("room", "42"), { state: { page: 1 }, activity: activityOf().port });
    const server = await connected({ device: OWN });
    expect(server.all("hello")[0]?.instance).toMatchObject({ secret: expect.any(String) });
    expect(server.last("watch")).toMatchObject({ channel, signals: false });
    expect(server.last("enter")).toMatchObject({ channel, seq: 1, state: { page: 1 }, activity: "active" });
    expect(here.status.get()).toBe("pending");
    await answer(server, "watch");
    await answer(server, "enter");
    const [own, tablet, bob] = [
      member(OWN, "ada", { state: { page: 1 }, since: 5 }),
      member("tablet", "ada", { status: "idle", since: 2 }),
      member("bob", "bob", { since: 3 }),
    ];
    await server.say(members([own, tablet, bob], { full: true, count: 2 }));
    expect(here.status.get()).toBe("live");
    expect(here.count.get()).toBe(2);
    expect(here.members.get()).toMatchObject([
      { user: "ada", status: "active", state: { page: 1 }, since: 2, self: true, devices: [{ device: OWN }, {}] },
      { user: "bob", status: "active", self: false },
    ]);
    const [ada] = here.members.get();
    let told = 0;
    here.members.subscribe(() => told++);
    await server.say(members([member("cleo", "cleo", { since: 9 })], { gone: [bob.device] }));
    expect(told).toBe(1);
    expect(here.members.get().map(({ user }) => user)).toEqual(["ada", "cleo"]);
    expect(here.members.get()[0]).toBe(ada);
    expect(runtime.errors).toEqual([]);
  });

  it("R1: shows a list that comes in pieces once it is whole", async () => {
    const { client, connected } = world();
    const here = presence(client.channel("room", "42"), { enter: false });
    const server = await connected();
    await answer(server, "watch");
    await server.say(members([member("a", "ada")], { full: true, more: true, count: 2 }));
    expect(here.members.get()).toEqual([]);
    expect(here.status.get()).toBe("pending");
    await server.say(members([member("b", "bob")], { count: 2 }));
    expect(here.members.get().map(({ user }) => user)).toEqual(["ada", "bob"]);
    expect(server.all("enter")).toEqual([]);
  });

  it("R2: enters again on every connection with what it says now, under a higher seq and connection", async () => {
    const { client, connected, reconnected } = world();
    const here = presence(client.channel("room", "42"), { state: { page: 1 } });
    const first = await connected({ device: OWN });
    await answer(first, "watch");
    await answer(first, "enter");
    await first.say(members([member(OWN, "ada")], { full: true }));
    here.update({ page: 2 });
    const second = await reconnected({ device: OWN });
    expect(here.status.get()).toBe("pending");
    expect(here.members.get()).toHaveLength(1);
    const [before, after] = [first.all("hello")[0]?.instance, second.all("hello")[0]?.instance];
    expect(after?.secret).toBe(before?.secret);
    // A transport that makes many connections of one counts on from it.
    expect(after?.connection).toBeGreaterThan((before?.connection ?? 0) + 1_000_000);
    expect(second.all("watch")).toHaveLength(1);
    expect(second.all("enter")).toMatchObject([{ seq: expect.any(Number), state: { page: 2 } }]);
    expect(second.last("enter").seq).toBeGreaterThan(1);
  });

  it("says the newest state only, one at a time", async () => {
    const { client, connected, runtime } = world();
    const here = presence(client.channel("room", "42"), { state: { page: 1 } });
    const server = await connected();
    for (let page = 2; page < 6; page++) here.update({ page });
    await runtime.settle();
    expect(server.all("enter")).toMatchObject([{ state: { page: 1 } }]);
    await answer(server, "enter");
    expect(server.all("enter")).toMatchObject([
      { seq: 1, state: { page: 1 } },
      { seq: 2, state: { page: 5 } },
    ]);
    await answer(server, "enter");
    expect(server.all("enter")).toHaveLength(2);
  });

  it("tells by itself whether one is active, idle or away, and stops listening with its last use", async () => {
    const { client, connected, runtime } = world();
    const activity = activityOf();
    const here = presence(client.channel("room", "42"), { activity: activity.port });
    const server = await connected();
    await answer(server, "enter");
    activity.become("away");
    await runtime.settle();
    expect(server.last("enter")).toMatchObject({ seq: 2, activity: "away" });
    here.close();
    expect(activity.source.listens).toBe(0);
  });

  it("R3: leaves at once on close, when nobody else wants to be there", async () => {
    const { client, connected, runtime } = world();
    const room = client.channel("room", "42");
    const [here, again] = [presence(room), presence(room)];
    const server = await connected();
    await answer(server, "watch");
    await answer(server, "enter");
    expect(server.all("watch")).toHaveLength(1);
    expect(server.all("enter")).toHaveLength(1);
    here.close();
    await runtime.settle();
    expect(server.all("leave")).toEqual([]);
    again.close();
    await runtime.settle();
    expect(server.last("leave")).toMatchObject({ channel, seq: 2 });
    expect(server.last("unwatch")).toMatchObject({ channel });
    expect(again.status.get()).toBe("ended");
  });

  it("tells of a state that was refused, and goes on with the next", async () => {
    const { client, connected, runtime } = world();
    const errors: string[] = [];
    const here = presence(client.channel("room", "42"), { state: "x", onError: ({ code }) => errors.push(code) });
    const server = await connected();
    await answer(server, "watch");
    const refusal = { type: "error", code: "invalid-data", message: "no", retryable: false };
    await server.say({ ...refusal, id: server.last("enter").id });
    expect(errors).toEqual(["invalid-data"]);
    await runtime.pass(60_000);
    expect(server.all("enter")).toHaveLength(1);
    here.update("y");
    await runtime.settle();
    expect(server.last("enter")).toMatchObject({ state: "y" });
  });

  it("waits out a refusal that may pass", async () => {
    const { client, connected, runtime } = world();
    const errors: string[] = [];
    presence(client.channel("room", "42"), { onError: ({ code }) => errors.push(code) });
    const server = await connected();
    await answer(server, "watch");
    const refusal = { type: "error", code: "too-many-members", message: "full", retryable: true, retryAfter: 5_000 };
    await server.say({ ...refusal, id: server.last("enter").id });
    await runtime.pass(4_900);
    expect(server.all("enter")).toHaveLength(1);
    await runtime.pass(200);
    expect(server.all("enter")).toHaveLength(2);
    expect(errors).toEqual([]);
  });

  it("A3: ends where there is no right to watch, or none any more", async () => {
    const { client, connected } = world();
    const errors: string[] = [];
    const onError = ({ code }: { code: string }) => void errors.push(code);
    const refused = presence(client.channel("room", "42"), { onError });
    const server = await connected();
    const refusal = { type: "error", code: "forbidden", message: "no", retryable: false };
    await server.say({ ...refusal, id: server.last("watch").id });
    expect(refused.status.get()).toBe("ended");
    const other = presence(client.channel("room", "43"), { onError });
    await server.say({ type: "unwatched", channel: "room:43" });
    expect(other.status.get()).toBe("ended");
    expect(errors).toEqual(["forbidden", "forbidden"]);
  });

  it("R1: a watch that the server has already is left, and made anew; a second time it ends", async () => {
    const { client, connected } = world();
    const server = await connected({ device: OWN });
    const here = presence(client.channel("room", "42"));
    await server.say({ type: "pong" });
    const refusal = { type: "error", code: "already-watching", message: "there", retryable: false };
    await server.say({ ...refusal, id: server.last("watch").id });
    expect(here.status.get()).toBe("pending");
    expect(server.all("unwatch")).toHaveLength(1);
    expect(server.all("watch")).toHaveLength(2);
    expect(server.last("watch").id).toBeGreaterThan(server.last("unwatch").id);
    await server.say({ ...refusal, id: server.last("watch").id });
    expect(here.status.get()).toBe("ended");
  });

  it("a refused watch counts no more once signals are wanted as well", async () => {
    const { client, connected, runtime } = world();
    const server = await connected({ device: OWN });
    const here = presence(client.channel("room", "42"));
    await server.say({ type: "pong" });
    const first = server.last("watch").id;
    signals(client.channel("room", "42"), "cursor");
    await runtime.settle();
    const refusal = { type: "error", code: "overloaded", message: "busy", retryable: true, retryAfter: 1_000 };
    await server.say({ ...refusal, id: first });
    await answer(server, "unwatch");
    await answer(server, "watch");
    await server.say(members([]));
    await runtime.pass(1_000);
    expect(here.status.get()).toBe("live");
    expect(server.all("watch").map((watch) => watch.signals)).toEqual([false, true]);
  });

  it("pages who is there, and says so where there is no connection", async () => {
    const { client, connected } = world();
    const here = presence(client.channel("room", "42"), { enter: false });
    await expect(here.page()).rejects.toMatchObject({ code: "disconnected" });
    const server = await connected();
    const page = here.page({ limit: 2 });
    await Promise.resolve();
    const lost = here.page();
    lost.catch(() => undefined);
    await server.say({ type: "ping" });
    const [asked] = server.all("roster");
    expect(asked).toMatchObject({ channel, limit: 2 });
    await server.say({
      type: "roster-page",
      id: asked?.id,
      channel,
      members: [member("a", "ada")],
      next: "a-----------",
    });
    expect(await page).toMatchObject({ devices: [{ user: "ada" }], next: "a-----------" });
    await server.end();
    await expect(lost).rejects.toMatchObject({ code: "disconnected" });
  });

  it("gives a connection up on a malformed message of its own", async () => {
    const { client, connected, losses } = world();
    presence(client.channel("room", "42"));
    const server = await connected();
    await server.say({ type: "members", channel, members: [{ device: 1 }], count: 0, signalMs: 50 });
    expect(losses).toEqual(["bad-frame"]);
  });
});

describe("what was said of oneself and refused", () => {
  /** This client is there, and what it says next of itself is refused. */
  async function refusing(code: string, more: object = {}) {
    const stage = world();
    const errors: string[] = [];
    const onError = ({ code }: { code: string }) => void errors.push(code);
    const here = presence(stage.client.channel("room", "42"), { state: { page: 1 }, onError });
    const cursors = signals(stage.client.channel("room", "42"), "cursor", { onError });
    const server = await stage.connected({ device: OWN });
    await answer(server, "watch");
    await answer(server, "enter");
    here.update({ page: "x" });
    await stage.runtime.settle();
    const { id } = server.last("enter");
    await server.say({ type: "error", id, code, message: "no", retryable: false, channel, ...more });
    return { ...stage, here, cursors, server, errors };
  }

  it("R3: leaves all the same: the server holds what was said before", async () => {
    for (const more of [{}, { retryable: true, retryAfter: 5_000 }]) {
      const { here, cursors, server, runtime } = await refusing("invalid-data", more);
      here.close();
      cursors.close();
      await runtime.settle();
      expect(server.all("leave")).toHaveLength(1);
    }
  });

  it("R7: keeps no signal from going out", async () => {
    const { cursors, server, runtime } = await refusing("invalid-data");
    cursors.send({ x: 1 });
    await runtime.settle();
    expect(server.all("signal")).toHaveLength(1);
  });

  it("is said again where it may be accepted later", async () => {
    const { server, runtime } = await refusing("rate-limited", { retryable: true, retryAfter: 5_000 });
    await runtime.pass(5_000);
    expect(server.all("enter").map(({ state }) => state)).toEqual([{ page: 1 }, { page: "x" }, { page: "x" }]);
  });

  it("R5: where that is because the right has gone, nobody is there any more", async () => {
    const { here, cursors, server, runtime } = await refusing("forbidden");
    cursors.send({ x: 1 });
    here.close();
    cursors.close();
    await runtime.settle();
    expect([server.all("signal"), server.all("leave")]).toEqual([[], []]);
  });

  it("what has no form in JSON, or fits no frame, is told and not sent; all else goes on", async () => {
    const { here, cursors, server, client, runtime, errors } = await refusing("invalid-data");
    const own: Record<string, unknown> = {};
    own.self = own;
    const long = "x".repeat(70_000);
    const sent = server.all("enter").length;
    errors.length = 0;
    here.update(own);
    cursors.send(own);
    expect(errors).toEqual(["invalid-data", "invalid-data"]);
    here.update(long);
    cursors.send(long);
    await runtime.settle();
    expect(new Set(errors.splice(0))).toEqual(new Set(["invalid-data", "signal-too-large", "state-too-large"]));
    client.channel("room", "1").publish("message", {});
    here.update("y");
    await runtime.settle();
    expect(server.all("publish")).toHaveLength(1);
    expect(server.all("enter").slice(sent)).toMatchObject([{ state: "y" }]);
    expect(server.all("signal")).toEqual([]);
  });
});

describe("presence and what the application does", () => {
  it("a source of activity that throws keeps nothing from being sent", async () => {
    const { client, connected, runtime } = world();
    const broken = () => {
      throw new Error("mine");
    };
    presence(client.channel("room", "42"), { activity: { now: broken, listen: () => () => undefined } });
    const server = await connected();
    expect(server.last("enter")).toMatchObject({ activity: "active" });
    expect(runtime.errors).toEqual([new Error("mine")]);
  });

  it("may be used anew by who is told of its end", async () => {
    const { client, connected } = world();
    const room = client.channel("room", "42");
    const stages: string[] = [];
    const here = presence(room, {
      onError: () => stages.push(here.status.get(), presence(room).status.get()),
    });
    const server = await connected();
    const refusal = { type: "error", code: "forbidden", message: "no", retryable: false };
    await server.say({ ...refusal, id: server.last("watch").id });
    expect(stages).toEqual(["ended", "pending"]);
    expect(server.all("watch")).toHaveLength(2);
  });

  it("after its end nothing is said through it, where others use the channel", async () => {
    const { client, connected, runtime } = world();
    const room = client.channel("room", "42");
    const [here, cursors] = [presence(room, { state: 1 }), signals(room, "cursor")];
    presence(room);
    const server = await connected();
    await answer(server, "watch");
    await answer(server, "enter");
    here.close();
    cursors.close();
    here.update(2);
    cursors.send({ x: 1 });
    await runtime.pass(1_000);
    expect([server.all("enter").length, server.all("signal").length]).toEqual([1, 0]);
  });

  it("G11: bounds the pages that are waited for", async () => {
    const { client, connected, runtime } = world();
    const here = presence(client.channel("room", "42"));
    await connected();
    const codes: string[] = [];
    for (let page = 0; page < 258; page++) here.page().catch(({ code }) => codes.push(code));
    await runtime.settle();
    expect(codes).toEqual(["too-many-requests", "too-many-requests"]);
  });

  it("C4 R3: left between a right that lapsed and the next, it is left on the server that had the next one already", async () => {
    let tokens = 0;
    const { client, connected } = world({ token: () => `t${++tokens}` });
    const server = await connected({ device: OWN });
    client.authenticate();
    await server.say({ type: "pong" });
    const rooms = ["42", "43"].map((id) => client.channel("room", id));
    const uses = rooms.map((room) => presence(room));
    presence(client.channel("room", "43"), { enter: false });
    await server.say({ type: "pong" });
    expect(server.all("enter")).toHaveLength(2);
    await server.say({ type: "error", code: "needs-auth", message: "", retryable: true });
    for (const use of uses) use.close();
    await server.welcome({ id: server.last("refresh").id, device: OWN });
    expect(server.all("unwatch").map(({ channel }) => channel)).toEqual(["room:42"]);
    expect(server.all("leave").map(({ channel }) => channel)).toEqual(["room:42", "room:43"]);
  });

  it("where a connection was lost meanwhile, the next one is told nothing of what was left", async () => {
    const { client, connected, server } = world();
    const first = await connected();
    const here = presence(client.channel("room", "42"));
    await first.say({ type: "pong" });
    await first.end();
    here.close();
    client.connect();
    await server.present.welcome();
    expect([server.present.all("leave"), server.present.all("unwatch")]).toEqual([[], []]);
  });
});

describe("signals", () => {
  /** A client that signals, and is there. */
  async function signalling() {
    const stage = world();
    const batches: unknown[] = [];
    const errors: string[] = [];
    const cursors = signals(stage.client.channel("room", "42"), "cursor", {
      onSignals: (batch) => batches.push(batch),
      onError: ({ code }) => errors.push(code),
    });
    const server = await stage.connected({ device: OWN });
    await answer(server, "watch");
    await answer(server, "enter");
    await server.say(members([member(OWN, "ada"), member("bob", "bob")], { full: true }));
    return { ...stage, batches, errors, cursors, server };
  }
  const bob = "bob".padEnd(12, "-");

  it("R8: enter the channel, and go out at once, then no faster than the room's pace: the newest only", async () => {
    const { cursors, server, runtime } = await signalling();
    expect(server.last("watch")).toMatchObject({ signals: true });
    cursors.send({ x: 1 });
    await runtime.settle();
    expect(server.all("signal")).toMatchObject([{ channel, signals: { cursor: { x: 1 } } }]);
    for (let x = 2; x < 20; x++) cursors.send({ x });
    await runtime.pass(49);
    expect(server.all("signal")).toHaveLength(1);
    await runtime.pass(1);
    expect(server.all("signal").map(({ signals: sent }) => sent)).toEqual([
      { cursor: { x: 1 } },
      { cursor: { x: 19 } },
    ]);
    const seqs = server.all("signal").map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  });

  it("R8: keep to a pace that grows with the room, and go out together across keys", async () => {
    const { client, cursors, server, runtime } = await signalling();
    const typing = signals(client.channel("room", "42"), "typing");
    await server.say(members([], { count: 500, signalMs: 70 }));
    cursors.send({ x: 1 });
    typing.send(true);
    await runtime.settle();
    expect(server.all("signal").map(({ signals: sent }) => sent)).toEqual([{ cursor: { x: 1 }, typing: true }]);
    cursors.send({ x: 2 });
    await runtime.pass(69);
    expect(server.all("signal")).toHaveLength(1);
    await runtime.pass(1);
    expect(server.all("signal")).toHaveLength(2);
  });

  it("R8: are handed over once per frame, without one's own, and taken back by null", async () => {
    const { cursors, server, batches, runtime } = await signalling();
    let told = 0;
    cursors.latest.subscribe(() => told++);
    await server.say(
      { type: "signals", channel, signals: { cursor: { [OWN]: { x: 0 }, [bob]: { x: 1 } } } },
      { type: "signals", channel, signals: { cursor: { [bob]: { x: 2 } }, typing: { [bob]: true } } },
    );
    expect(batches).toEqual([[{ device: bob, user: "bob", data: { x: 2 } }]]);
    expect(told).toBe(1);
    expect([...cursors.latest.get().values()]).toEqual([{ device: bob, user: "bob", data: { x: 2 } }]);
    expect(cursors.latest.get()).toBe(cursors.latest.get());
    await server.say({ type: "signals", channel, signals: { cursor: { [bob]: null } } });
    expect(cursors.latest.get().size).toBe(0);
    expect(batches).toHaveLength(2);
    expect(runtime.errors).toEqual([]);
  });

  it("R8: are forgotten where a full list does not name them any more", async () => {
    const { cursors, server } = await signalling();
    await server.say({ type: "signals", channel, signals: { cursor: { [bob]: { x: 2 } } } });
    await server.say({ type: "signals", channel, full: true, signals: {} });
    expect(cursors.latest.get().size).toBe(0);
  });

  it("R6: are forgotten with the device that is not shown any more", async () => {
    const { cursors, server, batches } = await signalling();
    await server.say(members([member("bob", "bob"), member("eve", "eve")], { full: true }), {
      type: "signals",
      channel,
      signals: { cursor: { [bob]: { x: 2 }, "eve---------": { x: 3 } } },
    });
    await server.say(members([], { gone: [bob], count: 2 }));
    expect([...cursors.latest.get().keys()]).toEqual(["eve---------"]);
    await server.say(members([member("bob", "bob")], { full: true }));
    expect(cursors.latest.get().size).toBe(0);
    expect(batches).toHaveLength(3);
  });

  it("keep nothing while there is no connection", async () => {
    const { cursors, server, reconnected, runtime } = await signalling();
    await server.end();
    cursors.send({ x: 1 });
    const second = await reconnected({ device: OWN });
    await answer(second, "enter");
    await runtime.pass(1_000);
    expect(second.all("signal")).toEqual([]);
    cursors.send({ x: 2 });
    await runtime.settle();
    expect(second.all("signal")).toMatchObject([{ signals: { cursor: { x: 2 } } }]);
  });

  it("wait out a rate limit, enter again where the server has forgotten, and tell what is final", async () => {
    const { cursors, server, errors, runtime } = await signalling();
    const refused = { type: "unsignalled", channel, seq: 2, message: "no" };
    await server.say({ ...refused, code: "rate-limited", retryable: true, retryAfter: 1_000 });
    cursors.send({ x: 1 });
    await runtime.pass(900);
    expect(server.all("signal")).toEqual([]);
    await runtime.pass(200);
    expect(server.all("signal")).toHaveLength(1);
    await server.say({ ...refused, code: "not-a-member", retryable: true });
    expect(server.all("enter")).toHaveLength(2);
    await server.say({ ...refused, code: "invalid-data", retryable: false });
    expect(errors).toEqual(["invalid-data"]);
  });

  it("R8: whose newest was dropped over a rate goes out again once the wait is over, in every room", async () => {
    const { client, cursors, server, runtime } = await signalling();
    const elsewhere = signals(client.channel("room", "43"), "cursor");
    await runtime.settle();
    for (const { id, channel } of server.all("enter").slice(-1)) await server.say({ type: "entered", id, channel });
    cursors.send({ x: 1 });
    elsewhere.send({ x: 9 });
    await runtime.pass(100);
    cursors.send({ x: 2 });
    await runtime.pass(100);
    const sent = server.all("signal").length;
    const code = "rate-limited";
    await server.say({ type: "unsignalled", channel, seq: 2, message: "no", code, retryable: true, retryAfter: 1_000 });
    await runtime.pass(900);
    expect(server.all("signal")).toHaveLength(sent);
    await runtime.pass(200);
    expect(server.all("signal").slice(sent)).toMatchObject([
      { channel, signals: { cursor: { x: 2 } } },
      { channel: "room:43", signals: { cursor: { x: 9 } } },
    ]);
    await runtime.pass(10_000);
    expect(server.all("signal")).toHaveLength(sent + 2);
  });

  it("are taken back on close while one stays", async () => {
    const { client, cursors, server, runtime } = await signalling();
    presence(client.channel("room", "42"));
    cursors.send({ x: 1 });
    await runtime.settle();
    cursors.close();
    await runtime.pass(100);
    expect(server.last("signal")).toMatchObject({ signals: { cursor: null } });
    expect(server.all("leave")).toEqual([]);
  });
});
