import { expect, it } from "vitest";
import { at } from "../testing/scripted-server.ts";
import { world } from "../testing/world.ts";

const needsAuth = { type: "error", code: "needs-auth", message: "The token has expired.", retryable: true };
const welcome = (id: number, user = "ada") => ({
  type: "welcome",
  id,
  connection: "c1",
  user,
  tenant: "default",
  time: 1_700_000_000_000,
  limits: {
    frameBytes: 65_536,
    frameMessages: 512,
    eventBytes: 32_768,
    inFlight: 256,
    requests: 256,
    historyPage: 500,
    pingMs: 25_000,
    pongMs: 10_000,
  },
});

it("connects by itself, unless it is told not to", async () => {
  expect(world().server.connections).toHaveLength(1);
  const { client, server } = world({ autoConnect: false });
  expect(server.connections).toHaveLength(0);
  expect(client.status.get()).toEqual({ kind: "offline" });
  client.connect();
  expect(server.connections).toHaveLength(1);
  expect(client.status.get()).toEqual({ kind: "connecting", attempt: 1 });
});

it("says hello with a token, or as a guest whose secret stays the same for the client's life", async () => {
  const member = world({ token: () => Promise.resolve("t1") });
  expect((await member.connected()).last("hello")).toMatchObject({ token: "t1", id: 1 });
  expect(member.server.present.subprotocol).toBe("tandem.v1.json");
  const guest = world({ guest: { name: "Bo" } });
  const first = (await guest.connected()).last("hello");
  expect(first.guest).toEqual({ secret: expect.stringMatching(/^.{22}$/), name: "Bo" });
  expect((await guest.reconnected()).last("hello").guest).toEqual(first.guest);
});

it("tries again with full jitter: the first time under 2 s, never later than 30 s", async () => {
  const { client, server, runtime } = world();
  runtime.chance = () => 0.999;
  const waits: number[] = [];
  for (let failure = 1; failure <= 8; failure++) {
    await server.present.end();
    const status = client.status.get();
    if (status.kind !== "reconnecting") throw new Error(status.kind);
    expect(status).toMatchObject({ attempt: failure, reason: "disconnected" });
    waits.push(status.nextTry - runtime.now());
    await runtime.pass(waits.at(-1) ?? 0);
    expect(client.status.get()).toEqual({ kind: "connecting", attempt: failure + 1 });
  }
  expect(waits).toEqual([999, 1998, 3996, 7992, 15984, 29970, 29970, 29970]);
});

it("a connection that held makes the next failure the first one; one that did not, does not", async () => {
  const { client, connected, reconnected, runtime, server } = world();
  await connected();
  await reconnected();
  await server.present.end();
  expect(client.status.get()).toMatchObject({ kind: "reconnecting", attempt: 2 });
  await runtime.pass(1_000);
  await server.present.welcome();
  await runtime.pass(5_000);
  await server.present.end();
  expect(client.status.get()).toMatchObject({ kind: "reconnecting", attempt: 1 });
});

it("gives up a handshake after 10 s", async () => {
  const { client, server, runtime } = world();
  await server.present.open();
  await runtime.pass(9_999);
  expect(client.status.get().kind).toBe("connecting");
  await runtime.pass(1);
  expect(client.status.get()).toMatchObject({ kind: "reconnecting", reason: "handshake-timeout" });
  expect(server.present.closedWith).toBe(4000);
});

it("retries a token function that throws, hangs or answers nonsense, and says why", async () => {
  const answers: (() => Promise<string> | string)[] = [
    () => {
      throw new Error("no network");
    },
    () => new Promise<string>(() => {}),
    () => "",
    () => "good",
  ];
  const { client, runtime, server } = world({ token: () => answers.shift()?.() ?? "" });
  await runtime.settle();
  expect(client.status.get()).toMatchObject({ kind: "reconnecting", attempt: 1, reason: "token-unavailable" });
  await runtime.pass(500);
  expect(client.status.get()).toEqual({ kind: "connecting", attempt: 2 });
  await runtime.pass(19_999);
  expect(client.status.get().kind).toBe("connecting");
  await runtime.pass(1);
  expect(client.status.get()).toMatchObject({ kind: "reconnecting", attempt: 2, reason: "token-unavailable" });
  await runtime.pass(1_000);
  expect(client.status.get()).toMatchObject({ kind: "reconnecting", attempt: 3, reason: "token-unavailable" });
  expect(server.connections).toHaveLength(0);
  await runtime.pass(2_000);
  expect(server.connections).toHaveLength(1);
});

it("a refused token is answered by a fresh one, once, at once; then it is blocked until the app wants it back", async () => {
  let count = 0;
  const { client, runtime, server } = world({ token: () => `t${++count}` });
  const refuse = async () => {
    const { present } = server;
    await present.open();
    await present.say({ type: "error", id: 1, code: "token-invalid", message: "No.", retryable: false });
    await present.end(4401, "token-invalid");
  };
  await runtime.settle();
  await refuse();
  expect(server.connections).toHaveLength(2);
  await refuse();
  expect(client.status.get()).toEqual({ kind: "blocked", code: "token-invalid", message: "No." });
  await runtime.pass(100_000);
  expect(server.connections).toHaveLength(2);
  client.authenticate();
  await runtime.settle();
  await server.present.open();
  expect(server.present.last("hello").token).toBe("t3");
});

it.each([
  [4403, "token-revoked", "reconnecting"],
  [4400, "bad-frame", "blocked"],
  [1009, "", "blocked"],
  [4003, "internal", "reconnecting"],
  [1006, "", "reconnecting"],
  [4004, "token-expired", "reconnecting"],
])("obeys the close code %i (%s): %s", async (code, reason, kind) => {
  const { client, connected } = world({ token: () => "t1" });
  const server = await connected();
  await server.end(code, reason);
  expect(client.status.get()).toMatchObject({
    kind,
    [kind === "blocked" ? "code" : "reason"]: reason || "disconnected",
  });
});

it("a revoked token is followed by one fresh one, in another second; then it is blocked", async () => {
  let count = 0;
  const { client, connected, runtime, server } = world({ token: () => `t${++count}` });
  await (await connected()).end(4403, "token-revoked");
  expect(client.status.get()).toMatchObject({ kind: "reconnecting", nextTry: runtime.now() + 1_000 });
  await runtime.pass(1_000);
  await server.present.open();
  expect(server.present.last("hello").token).toBe("t2");
  await server.present.end(4403, "token-revoked");
  expect(client.status.get()).toMatchObject({ kind: "blocked", code: "token-revoked" });
});

it("a guest who is refused is blocked", async () => {
  const { client, server } = world();
  await server.present.open();
  await server.present.say({
    type: "error",
    id: 1,
    code: "guests-not-admitted",
    message: "No guests.",
    retryable: false,
  });
  expect(client.status.get()).toEqual({ kind: "blocked", code: "guests-not-admitted", message: "No guests." });
});

it("waits at least as long as the server hints, also when it is woken", async () => {
  const { client, connected, network, runtime, server } = world();
  await (await connected()).say({ type: "closing", code: "shutting-down", retryAfter: 7_000 });
  await runtime.pass(1_000);
  await server.present.end(4500, "shutting-down");
  const status = client.status.get();
  expect(status).toMatchObject({ kind: "reconnecting", reason: "shutting-down", nextTry: runtime.now() + 6_000 });
  network.changed();
  await runtime.pass(5_999);
  expect(server.connections).toHaveLength(1);
  await runtime.pass(1);
  expect(server.connections).toHaveLength(2);
});

it("obeys the hint that comes with a refusal of the hello", async () => {
  const { client, server, runtime } = world();
  await server.present.open();
  const refusal = { type: "error", code: "server-full", message: "Full.", retryable: true, retryAfter: 9_000 };
  await server.present.say({ ...refusal, id: 1 });
  expect(client.status.get()).toMatchObject({
    kind: "reconnecting",
    reason: "server-full",
    nextTry: runtime.now() + 9_000,
  });
});

it("C9: obeys the hint of a server that has no place for it, given before the hello was looked at", async () => {
  const { client, server, runtime } = world();
  await server.present.open();
  const message = "Too many connections are open from this address.";
  await server.present.say({
    type: "error",
    code: "too-many-connections",
    message,
    retryable: true,
    retryAfter: 9_000,
  });
  await server.present.end(4502, "too-many-connections");
  const nextTry = runtime.now() + 9_000;
  expect(client.status.get()).toMatchObject({ kind: "reconnecting", reason: "too-many-connections", nextTry });
});

it("says offline while there is no network, and tries at once when it is back or the page comes into view", async () => {
  const { client, connected, network, runtime, server } = world();
  runtime.chance = () => 0.99;
  await connected();
  network.online = false;
  await server.present.end();
  expect(client.status.get()).toEqual({ kind: "offline" });
  network.online = true;
  network.changed();
  expect(server.connections).toHaveLength(2);
  await server.present.end();
  expect(client.status.get().kind).toBe("reconnecting");
  network.online = false;
  network.changed();
  expect(client.status.get()).toEqual({ kind: "offline" });
});

it("a network that is believed away is tried all the same: the belief may be wrong", async () => {
  const { client, network, runtime, server } = world();
  network.online = false;
  await server.present.end();
  expect(client.status.get()).toEqual({ kind: "offline" });
  await runtime.pass(1_000);
  expect(server.connections).toHaveLength(2);
});

it("being woken asks a standing connection for a sign of life", async () => {
  const { connected, network, runtime, client } = world();
  const server = await connected();
  await runtime.pass(1);
  server.answersPings = false;
  const before = server.all("ping").length;
  network.changed();
  await runtime.settle();
  expect(server.all("ping")).toHaveLength(before + 1);
  await runtime.pass(10_000);
  expect(client.status.get()).toMatchObject({ kind: "reconnecting", reason: "ping-timeout" });
});

it("disconnect keeps the queue and connect brings it back", async () => {
  const { client, connected, runtime, server } = world();
  const first = await connected();
  const publication = client.channel("room", "1").publish("message", 1);
  client.disconnect();
  expect(client.status.get()).toEqual({ kind: "offline" });
  expect(first.closedWith).toBe(1000);
  await runtime.pass(100_000);
  expect(server.connections).toHaveLength(1);
  expect(publication.status.get()).toEqual({ kind: "queued" });
  client.connect();
  await server.present.welcome();
  expect(publication.status.get()).toEqual({ kind: "sent" });
});

it("G14: close ends what was sent as unknown, and what was not as rejected", async () => {
  const { client, connected, runtime } = world();
  const server = await connected();
  const room = client.channel("room", "1");
  const [sent, queued] = [room.publish("message", 1), room.publish("message", 2)];
  await runtime.settle();
  const never = room.publish("message", 3);
  const page = room.history();
  const states: string[] = [];
  room.subscribe({ onEvents: () => {}, onState: (state) => states.push(state) });
  let closed = false;
  void client.close().then(() => {
    closed = true;
  });
  expect(client.status.get()).toEqual({ kind: "closed" });
  for (const publication of [sent, queued]) {
    expect(publication.status.get()).toMatchObject({ kind: "unknown", error: { code: "closed" } });
  }
  expect(never.status.get()).toMatchObject({ kind: "rejected", error: { code: "closed" } });
  await expect(never.durable).rejects.toMatchObject({ code: "closed" });
  await expect(page).rejects.toMatchObject({ code: "closed" });
  expect(states).toEqual(["ended"]);
  expect(client.pending.get()).toBe(0);
  expect(room.publish("message", 4).status.get()).toMatchObject({ kind: "rejected", error: { code: "closed" } });
  await runtime.settle();
  expect(closed).toBe(false);
  await server.end(1000);
  expect(closed).toBe(true);
  client.connect();
  expect(client.status.get()).toEqual({ kind: "closed" });
  await runtime.pass(100_000);
  expect(runtime.timers).toBe(0);
});

it("close does not wait for a socket that does not end", async () => {
  const { client, connected, runtime } = world();
  await connected();
  const closed = client.close();
  await runtime.pass(1_000);
  await closed;
});

it("G10: a client stays one user's: another user's welcome blocks it, and sends nothing of the first", async () => {
  const { client, connected, server, runtime } = world({ token: () => "t1" });
  const first = await connected();
  const publication = client.channel("room", "1").publish("message", 1);
  await runtime.settle();
  await first.end();
  await runtime.pass(1_000);
  await server.present.open();
  await server.present.say(welcome(1, "bob"));
  expect(client.status.get()).toMatchObject({ kind: "blocked", code: "wrong-user" });
  expect(server.present.all("publish")).toEqual([]);
  expect(publication.status.get()).toEqual({ kind: "sent" });
});

it("G10: after needs-auth it brings a fresh token on the same connection, then everything goes on", async () => {
  let count = 0;
  const { client, connected, runtime } = world({ token: () => `t${++count}` });
  const server = await connected();
  const room = client.channel("room", "1");
  const subscription = room.subscribe({ onEvents: () => {} });
  await runtime.settle();
  await server.say({
    type: "subscribed",
    id: server.last("subscribe").id,
    channel: "room:1",
    position: at(3),
    head: 3,
  });
  const sent = room.publish("message", "sent");
  await runtime.settle();
  const [publish] = server.all("publish");
  server.fresh();
  await server.say(needsAuth);
  expect(client.status.get()).toEqual({ kind: "needs-auth", reason: "needs-auth" });
  expect(subscription.state.get()).toBe("pending");
  const queued = room.publish("message", "queued");
  await runtime.settle();
  const [refresh, ...more] = server.fresh();
  expect([refresh, more]).toMatchObject([{ type: "refresh", token: "t2" }, []]);
  // The server refuses, in its own words, what it got before the refresh.
  await server.say({ ...needsAuth, id: publish?.id, channel: "room:1" });
  expect(sent.status.get()).toEqual({ kind: "sent" });
  await server.say(welcome(server.last("refresh").id));
  expect(client.status.get().kind).toBe("connected");
  expect(server.fresh()).toMatchObject([
    { type: "subscribe", from: at(3) },
    { type: "publish", seq: 1, data: "sent" },
    { type: "publish", seq: 2, data: "queued" },
  ]);
  expect(queued.status.get()).toEqual({ kind: "sent" });
  // One that is late belongs to the lapse that is over.
  await server.say({ ...needsAuth, id: publish?.id, channel: "room:1" });
  expect(client.status.get().kind).toBe("connected");
});

it("a lapse without a fresh token is told, retried, and ends in blocked when the server will not have it", async () => {
  const answers = ["t1", undefined, "t2", "t3", "t4"];
  const { client, connected, runtime } = world({
    token: () => {
      const token = answers.shift();
      if (!token) throw new Error("not now");
      return token;
    },
  });
  const server = await connected();
  await server.say(needsAuth);
  expect(client.status.get()).toEqual({ kind: "needs-auth", reason: "token-unavailable" });
  await runtime.pass(1_000);
  const refused = { type: "error", code: "token-expired", message: "Old.", retryable: true };
  await server.say({ ...refused, id: server.last("refresh").id });
  expect(client.status.get()).toEqual({ kind: "needs-auth", reason: "token-expired" });
  await runtime.pass(2_000);
  const revoked = { ...refused, code: "token-revoked", retryable: false };
  await server.say({ ...revoked, id: server.last("refresh").id });
  expect(client.status.get()).toEqual({ kind: "needs-auth", reason: "token-revoked" });
  await runtime.pass(4_000);
  expect(server.all("refresh").map(({ token }) => token)).toEqual(["t2", "t3", "t4"]);
  await server.say({ ...revoked, id: server.last("refresh").id });
  expect(client.status.get()).toEqual({ kind: "blocked", code: "token-revoked", message: "Old." });
});

it("a token is renewed at 80 % of its life, and subscriptions stand as they are", async () => {
  let count = 0;
  const { client, connected, runtime } = world({ token: () => `t${++count}` });
  const time = runtime.now() + 5_000;
  const server = await connected({ time, expires: time + 60_000 });
  client.channel("room", "1").subscribe({ onEvents: () => {} });
  await runtime.settle();
  await server.say({
    type: "subscribed",
    id: server.last("subscribe").id,
    channel: "room:1",
    position: at(3),
    head: 3,
  });
  server.fresh();
  await runtime.pass(47_999);
  expect(server.fresh()).toEqual([]);
  await runtime.pass(1);
  const [refresh] = server.fresh();
  expect(refresh).toMatchObject({ type: "refresh", token: "t2" });
  await server.say({ ...welcome(server.last("refresh").id), time: time + 48_000, expires: time + 108_000 });
  expect(server.fresh()).toEqual([]);
  expect(client.status.get().kind).toBe("connected");
  await runtime.pass(48_000);
  expect(server.all("refresh")).toHaveLength(2);
});

it("a token that lives for months is not renewed at once by a timer that overflows", async () => {
  const { connected, runtime } = world({ token: () => "t1" });
  const timers: number[] = [];
  const timer = runtime.timer.bind(runtime);
  runtime.timer = (ms, action) => {
    timers.push(ms);
    return timer(ms, action);
  };
  await connected({ expires: runtime.now() + 90 * 86_400_000 });
  expect(Math.max(...timers)).toBeLessThan(2 ** 31);
  expect(timers).toContain(6 * 3_600_000);
});

it("a listener that throws, or closes the client, breaks nothing", async () => {
  const { client, connected, runtime } = world();
  client.status.subscribe(() => {
    throw new Error("mine");
  });
  let told = 0;
  client.status.subscribe(() => told++);
  client.identity.subscribe(() => client.disconnect());
  await connected();
  expect(client.status.get()).toEqual({ kind: "offline" });
  expect(told).toBe(1);
  expect(runtime.errors).toEqual([new Error("mine")]);
  await runtime.pass(100_000);
  expect(runtime.timers).toBe(0);
});

it("a connection that cannot even be opened is tried again", async () => {
  const { client, runtime, server } = world({ autoConnect: false });
  server.refuses = new SyntaxError("not a URL");
  client.connect();
  expect(client.status.get()).toMatchObject({ kind: "reconnecting", attempt: 1, reason: "disconnected" });
  expect(runtime.errors).toEqual([server.refuses]);
  server.refuses = undefined;
  await runtime.pass(1_000);
  expect(server.connections).toHaveLength(1);
});
