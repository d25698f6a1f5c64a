import { eventId, mintProducer } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { RawSocket } from "./raw-socket.fixture.ts";
import { frame, TEXT } from "./raw-socket.fixture.ts";
import type { Stage } from "./stage.fixture.ts";
import { stage } from "./stage.fixture.ts";

const DESK = "desk:1";
const WRITER = { grants: { "desk:*": ["read", "publish", "write"] } } as const;

let minted = 0;

/** Commands of one client: each with the next number of its producer. Request id 1 is used. */
class Line {
  readonly socket: RawSocket;
  readonly producer = mintProducer(Date.now(), `${++minted}`.padStart(22, "p"));
  seq = 0;
  #id = 1_000;

  constructor(socket: RawSocket) {
    this.socket = socket;
  }

  get id(): number {
    return ++this.#id;
  }

  command(
    model: string,
    command: string,
    input: unknown,
    more: object = {},
  ): { readonly id: number; readonly [field: string]: unknown } {
    const [seq, id] = [++this.seq, this.id];
    const nonce = `n${seq}-${this.producer}`.slice(0, 22).padEnd(22, "-");
    const asked = { type: "command", id, channel: DESK, model, command, input, nonce };
    return { ...asked, producer: this.producer, seq, ...more };
  }

  async send(model: string, command: string, input: unknown = {}, more: object = {}) {
    const asked = this.command(model, command, input, more);
    this.socket.say(asked);
    return this.socket.told(asked.id);
  }

  async ask(request: object) {
    const { id } = this;
    this.socket.say({ ...request, id });
    return this.socket.told(id);
  }

  publish(event: string, data: unknown, more: object = {}) {
    const line = { producer: this.producer, seq: ++this.seq };
    return this.ask({ type: "publish", channel: DESK, event, data, ...line, ...more });
  }
}

async function enter(world: Stage, user: string, claims: object = WRITER): Promise<Line> {
  return new Line(await world.enter(user, claims));
}

async function stateOf(world: Stage, model: string) {
  const { state } = await world.server.application().model(DESK, model).state();
  // biome-ignore lint/suspicious/noExplicitAny: which model it is the test knows.
  return state as any;
}

const [DONE] = [{ type: "published" }];
const proposal = { title: "Which?", options: ["this", "that"] };

describe("M8: commands that cannot be", () => {
  it.each([
    ["of no model", "none", "add", {}],
    ["of a model that every object has", "constructor", "add", {}],
    ["of no command", "count", "divide", {}],
    ["of a command that every object has", "count", "toString", {}],
    ["of an event", "votes", "closed", {}],
    ["of a deadline", "votes", "onDeadline", {}],
    ["of a newer version", "count", "add", { version: 1_000_000 }],
  ])("%s: invalid-command, settled, and what comes behind goes on", async (_, model, command, more) => {
    const world = await stage();
    const client = await enter(world, "mallory");
    expect(await client.send(model, command, {}, more)).toMatchObject({ code: "invalid-command", retryable: false });
    expect(await client.send("count", "add", { by: 3 })).toMatchObject(DONE);
    expect(await stateOf(world, "count")).toMatchObject({ value: 3 });
  });

  it.each<[string, string, unknown]>([
    ["nested deeper than 32", `${"[".repeat(40)}1${"]".repeat(40)}`, "too-deep"],
    ["with a key __proto__", '{"__proto__":{"by":1}}', "bad-message"],
    ["with a key constructor", '{"by":1,"constructor":1}', "bad-message"],
    ["with a key given twice", '{"by":1,"by":2}', "bad-message"],
    ["with a number out of range", '{"by":1e999}', "bad-message"],
    ["with NUL", '{"by":"\\u0000"}', "bad-message"],
    ["of another type", '"1"', "invalid-data"],
    ["with a field too many", '{"by":1,"admin":true}', "invalid-data"],
    ["beyond 2^53", '{"by":9007199254740993}', "invalid-data"],
  ])("an input %s is told its code", async (_, json, code) => {
    const world = await stage();
    const client = await enter(world, "mallory");
    const asked = client.command("count", "add", "HERE");
    client.socket.write(frame(TEXT, JSON.stringify([asked]).replace('"HERE"', json)));
    expect(await client.socket.told(asked.id)).toMatchObject({ code });
    expect(await stateOf(world, "count")).toMatchObject({ value: 0 });
  });

  it("G11: an input that makes too much is event-too-large, one over the frame ends the connection", async () => {
    const world = await stage();
    const client = await enter(world, "mallory");
    const card = (more: unknown) => ({ collection: "cards", value: { title: "t", more } });
    expect(await client.send("board", "create", card("x".repeat(40_000)))).toMatchObject({ code: "event-too-large" });
    // Within what a message may nest, and deeper than an event may.
    let deep: unknown = 1;
    for (let at = 0; at < 29; at++) deep = [deep];
    const answer = await client.send("board", "create", card(deep));
    expect(["published", "too-deep"]).toContain(answer?.code ?? answer?.type);
    expect(await client.send("board", "create", card("x"))).toMatchObject(DONE);
    client.socket.say(client.command("board", "create", card("x".repeat(70_000))));
    expect(await client.socket.closed()).toMatchObject({ code: 1009 });
  });

  it.each([
    ["a short nonce", { nonce: "n" }],
    ["no nonce", { nonce: undefined }],
    ["seq 0", { seq: 0 }],
    ["a number for a model", { model: 7 }],
    ["a fence without a token", { fence: { name: "locks/draft" } }],
    ["a right of its own", { admin: true }],
    ["another's name", { user: "ada" }],
  ])("with %s: bad-message", async (_, more) => {
    const world = await stage();
    const client = await enter(world, "mallory");
    expect(await client.send("count", "add", {}, more)).toMatchObject({ code: "bad-message" });
  });

  it("a model's own events cannot be published", async () => {
    const world = await stage();
    const client = await enter(world, "mallory");
    for (const event of ["votes.closed", "locks.granted", "jobs.claimed", "count.added"])
      expect(await client.publish(event, { by: 1 })).toMatchObject({
        code: expect.stringMatching(/^(invalid-event|fence-required)$/),
      });
    const { events } = await world.server.application().history(DESK);
    expect(events).toEqual([]);
  });
});

describe("G10: commands and states where one has no right", () => {
  it("are forbidden, the same whether there is such a channel or not", async () => {
    const world = await stage();
    await world.server.application().model("desk:secret", "count").command("add", { by: 42 });
    const client = await enter(world, "mallory", { grants: { "desk:1": ["read"] } });
    for (const channel of ["desk:secret", "desk:absent", "none:1"]) {
      expect(await client.send("count", "add", {}, { channel, seq: 1 })).toMatchObject({ code: "forbidden" });
      expect(await client.ask({ type: "state", channel, model: "count" })).toMatchObject({ code: "forbidden" });
      expect(await client.ask({ type: "state", channel, model: "none" })).toMatchObject({ code: "forbidden" });
    }
    expect(client.socket.everything).not.toContain("42");
    expect(await client.send("count", "add", {}, { seq: 1 })).toMatchObject({ code: "forbidden" });
    expect(await client.ask({ type: "state", channel: DESK, model: "count" })).toMatchObject({ type: "piece" });
    expect(await client.ask({ type: "state", channel: DESK, model: "none" })).toMatchObject({
      code: "invalid-command",
    });
  });

  it("another tenant's model is not reached", async () => {
    const world = await stage();
    await world.server.application("acme").model(DESK, "count").command("add", { by: 42 });
    const client = await enter(world, "mallory", { ...WRITER, tenant: "other" });
    for (const channel of ["acme/desk:1", "DESK:1", "desk:*", "../acme/desk:1", "ｄｅｓｋ:1"]) {
      const answer = await client.ask({ type: "state", channel, model: "count" });
      expect(["forbidden", "bad-message"]).toContain(answer?.code);
    }
    expect(await client.ask({ type: "state", channel: DESK, model: "count" })).toMatchObject({
      piece: { head: { value: 0 } },
    });
  });

  it("what takes more than to write is for those who have that", async () => {
    const world = await stage();
    const [ada, mallory] = [await enter(world, "ada"), await enter(world, "mallory")];
    await ada.send("locks", "acquire", { lock: "draft" });
    await ada.send("votes", "propose", proposal);
    await ada.send("chat", "send", { text: "mine" });
    await ada.send("jobs", "start", { title: "mine" });
    const [vote] = (await stateOf(world, "votes")).proposals.keys();
    const [message] = (await stateOf(world, "chat")).items.keys();
    const [job] = (await stateOf(world, "jobs")).jobs.keys();
    const rejected = (code: string) => ({ code: "rejected", reason: { code } });
    expect(await mallory.send("locks", "break", { lock: "draft", reason: "mine" })).toMatchObject({
      code: "forbidden",
    });
    expect(await mallory.send("locks", "release", { lock: "draft" })).toMatchObject(rejected("not-held"));
    expect(await mallory.send("locks", "handOver", { lock: "draft", to: "mallory" })).toMatchObject(
      rejected("not-held"),
    );
    expect(await mallory.send("votes", "close", { proposal: vote })).toMatchObject(rejected("not-yours"));
    expect(await mallory.send("votes", "veto", { proposal: vote, reason: "no" })).toMatchObject(rejected("not-yours"));
    expect(await mallory.send("votes", "withdraw", { proposal: vote })).toMatchObject(rejected("not-yours"));
    expect(await mallory.send("chat", "edit", { id: message, text: "theirs" })).toMatchObject(rejected("not-yours"));
    expect(await mallory.send("chat", "remove", { id: message })).toMatchObject(rejected("not-yours"));
    expect(await mallory.send("jobs", "cancel", { job })).toMatchObject(rejected("not-yours"));
  });
});

describe("floods", { timeout: 120_000 }, () => {
  it("W8, G11: of commands over the rate each is told when to come back; whoever obeys has all of them, in order", async () => {
    const world = await stage({ limits: { publishesPerConnection: 300 } });
    const client = await enter(world, "mallory");
    const count = 800;
    const commands = Array.from({ length: count }, (_, at) =>
      client.command("board", "create", { collection: "cards", id: `c${at}`, value: { title: `${at}`, more: 0 } }),
    );
    let done = 0;
    for (let rounds = 0; done < count; rounds++) {
      expect(rounds).toBeLessThan(40);
      const from = client.socket.messages.length;
      const sent = commands.slice(done, done + 200).map((command) => ({ ...command, id: client.id }));
      client.socket.say(...sent);
      await client.socket.until(() => client.socket.messages.length >= from + sent.length);
      const answers = client.socket.messages.slice(from);
      done += answers.filter(({ type }) => type === "published").length;
      const codes = new Set(answers.flatMap(({ code }) => (code === undefined ? [] : [code])));
      for (const code of codes) expect(["rate-limited", "out-of-sequence"]).toContain(code);
      const waits = answers.flatMap(({ retryAfter }) => (retryAfter === undefined ? [] : [Number(retryAfter)]));
      for (const wait of waits) expect(wait).toBeLessThanOrEqual(2_000);
      if (waits.length > 0) await new Promise((resolve) => setTimeout(resolve, Math.max(...waits)));
      client.socket.say({ type: "received", frames: client.socket.frames.length });
    }
    const { cards } = await stateOf(world, "board");
    expect(cards.size).toBe(count);
    const { events } = await world.server.application().history(DESK, { limit: 500 });
    expect(events.map(({ data }) => (data as { id: string }).id)).toEqual(
      Array.from({ length: 500 }, (_, at) => `c${count - 500 + at}`),
    );
  });

  it("G11: of questions for a state is held to what may wait, and answered with one code where it is over", async () => {
    const world = await stage();
    for (let at = 0; at < 20; at++) {
      const value = { title: `${at}`, more: "x".repeat(500) };
      await world.server.application().model(DESK, "board").command("create", { collection: "cards", value });
    }
    const client = await enter(world, "mallory");
    const unborn = { epoch: "-", offset: 0, tag: "" };
    const kinds = [{}, { after: "0 cards" }, { at: unborn }, { bytes: 262_144, after: "0 cards" }];
    const count = 3_000;
    for (let first = 0; first < count; first += 300) {
      client.socket.say(
        ...Array.from({ length: 300 }, (_, at) => ({
          type: "state",
          id: 10_000 + first + at,
          channel: DESK,
          model: "board",
          ...kinds[at % kinds.length],
        })),
      );
    }
    const acknowledging = setInterval(
      () => client.socket.say({ type: "received", frames: client.socket.frames.length }),
      50,
    );
    await client.socket.until(() => client.socket.messages.length >= count + 1);
    clearInterval(acknowledging);
    const codes = new Set(client.socket.messages.slice(1).map(({ type, code }) => code ?? type));
    for (const code of codes) expect(["piece", "too-many-requests", "state-gone"]).toContain(code);
    expect(codes).toContain("piece");
  });
});

describe("what is another's", () => {
  it("G2: a producer's name is worth nothing in another's mouth, and a nonce makes other ids", async () => {
    const world = await stage();
    const [ada, mallory] = [await enter(world, "ada"), await enter(world, "mallory")];
    const first = ada.command("chat", "send", { text: "ada's" });
    ada.socket.say(first);
    expect(await ada.socket.told(first.id)).toMatchObject(DONE);
    // The very message; then one that would take the next place in ada's line.
    const stolen = await mallory.ask(first);
    expect(stolen).toMatchObject(DONE);
    expect(stolen).not.toHaveProperty("duplicate");
    expect(await mallory.send("chat", "send", { text: "x" }, { producer: ada.producer, seq: 3 })).toMatchObject({
      code: "out-of-sequence",
    });
    expect(await ada.send("chat", "send", { text: "ada's second" })).toMatchObject(DONE);
    const { items } = await stateOf(world, "chat");
    expect([...items.values()].map(({ by, text }: { by: string; text: string }) => [by, text])).toEqual(
      expect.arrayContaining([
        ["ada", "ada's"],
        ["mallory", "ada's"],
        ["ada", "ada's second"],
      ]),
    );
    expect(items.size).toBe(3);
  });

  it("M10: one's own nonce again makes nothing in the place of what it made: a closed vote stays closed", async () => {
    const world = await stage();
    const client = await enter(world, "mallory");
    const nonce = "n".repeat(22);
    expect(await client.send("votes", "propose", proposal, { nonce })).toMatchObject(DONE);
    const id = eventId(`mallory/${nonce}`, 0, 0);
    expect(await client.send("votes", "close", { proposal: id })).toMatchObject(DONE);
    const before = await stateOf(world, "votes");
    expect(before.proposals.get(id).result).toMatchObject({ outcome: expect.anything() });
    const again = await client.send("votes", "propose", { ...proposal, title: "Again" }, { nonce });
    expect(again).toMatchObject({ code: "rejected", reason: { code: "exists" } });
    expect((await stateOf(world, "votes")).proposals.get(id)).toEqual(before.proposals.get(id));
  });

  it("an undo that was made up is a command like any other, and takes back nothing that it does not know", async () => {
    const world = await stage();
    const [ada, mallory] = [await enter(world, "ada"), await enter(world, "mallory")];
    const card = { collection: "cards", id: "a" };
    await ada.send("board", "create", { ...card, value: { title: "one", more: 1 } });
    await ada.send("board", "patch", { ...card, fields: { title: "two" }, base: { title: "one" } });
    const undo = (more: object) => mallory.send("board", "patch", { ...card, fields: { title: "one" }, ...more });
    expect(await undo({})).toMatchObject({ code: "rejected", reason: { code: "base-missing" } });
    expect(await undo({ base: { title: "made up" } })).toMatchObject({ reason: { code: "conflict", theirs: "two" } });
    expect(await undo({ base: { title: "two" }, inverse: true })).toMatchObject({ code: "invalid-data" });
    const base = { title: "one", more: 1 };
    expect(await mallory.send("board", "remove", { ...card, base })).toMatchObject({ reason: { code: "conflict" } });
    expect(await mallory.send("board", "restore", { ...card, value: base })).toMatchObject({
      reason: { code: "conflict" },
    });
    expect((await stateOf(world, "board")).cards.get("a").value).toEqual({ title: "two", more: 1 });
  });

  it("M20: a job is not ended, reported on or held by who does not hold it, whatever tokens are tried", async () => {
    const world = await stage();
    const [ada, mallory] = [await enter(world, "ada"), await enter(world, "mallory")];
    await ada.send("jobs", "start", { title: "t" });
    await ada.send("jobs", "claim", { worker: "w", lease: 600_000 });
    const [[job, { token: own }]] = (await stateOf(world, "jobs")).jobs;
    const stale = { code: "rejected", reason: { code: "stale-lease" } };
    for (const token of [1, own - 1, own, own + 1]) {
      const held = { job, token };
      expect(await mallory.send("jobs", "complete", { ...held, result: "mine" })).toMatchObject(stale);
      expect(await mallory.send("jobs", "heartbeat", held)).toMatchObject(stale);
      expect(await mallory.send("jobs", "progress", { ...held, progress: 1 })).toMatchObject(stale);
      expect(await mallory.send("jobs", "release", held)).toMatchObject(stale);
      const error = { code: "e", message: "m", recoverable: false };
      expect(await mallory.send("jobs", "fail", { ...held, error })).toMatchObject(stale);
    }
    const claim = await mallory.send("jobs", "claim", { worker: "w", job });
    expect(claim).toMatchObject({ reason: { code: "nothing-waiting" } });
    const { jobs } = await stateOf(world, "jobs");
    expect(jobs.get(job)).toMatchObject({
      phase: { kind: "running", lease: { user: "ada" } },
      progress: 0,
      token: own,
    });
  });

  it("G7: a write under a lock takes its newest token, and no other is taken for it", async () => {
    const world = await stage();
    const [ada, mallory] = [await enter(world, "ada"), await enter(world, "mallory")];
    await ada.send("locks", "acquire", { lock: "draft" });
    await mallory.send("locks", "acquire", { lock: "other" });
    const { locks } = await stateOf(world, "locks");
    const [token, own] = [locks.get("draft").token, locks.get("other").token];
    const save = (fence?: object) => mallory.publish("saved", { text: "theirs" }, fence ? { fence } : {});
    expect(await save()).toMatchObject({ code: "fence-required" });
    expect(await save({ name: "locks/other", token: own })).toMatchObject({ code: "fence-required" });
    for (const guess of [0, 1, token - 1, token + 1, Number.MAX_SAFE_INTEGER])
      expect(await save({ name: "locks/draft", token: guess })).toMatchObject({ code: "stale-fence" });
    expect((await world.server.application().history(DESK)).events.map(({ type }) => type)).not.toContain("saved");
  });
});

describe("positions and times that cannot be", () => {
  it("M12: a state far in the future, of another history, or after a place that there is not", async () => {
    const world = await stage();
    const client = await enter(world, "mallory");
    const { position } = (await client.send("count", "add", {})) as never as { position: { epoch: string } };
    const ask = (more: object) => client.ask({ type: "state", channel: DESK, model: "count", ...more });
    const far = { ...position, offset: Number.MAX_SAFE_INTEGER };
    const elsewhere = { epoch: "other", offset: 1, tag: "t" };
    expect(await ask({ at: far })).toMatchObject({ code: "state-gone" });
    expect(await ask({ at: elsewhere })).toMatchObject({ code: "state-gone" });
    expect(await ask({ at: { ...position, tag: "another" } })).toMatchObject({ code: "state-gone" });
    expect(await ask({ atLeast: far })).toMatchObject({ code: "not-yet" });
    for (const after of ["x", "9 cards", " ", "0", "-1 cards", "NaN constructor", "\u202e"])
      expect((await ask({ after }))?.code ?? "piece").toMatch(/^(state-gone|piece)$/);
    for (const more of [{ at: -1 }, { bytes: 1 }, { bytes: 1e9 }, { after: "" }, { after: "x".repeat(2_000) }])
      expect(await ask(more)).toMatchObject({ code: "bad-message" });
    const producer = mintProducer(Date.now() + 86_400_000, "f".repeat(22));
    expect(await client.send("count", "add", {}, { producer, seq: 1 })).toMatchObject({ code: "producer-invalid" });
    expect(await client.send("count", "add", {}, { seq: Number.MAX_SAFE_INTEGER })).toMatchObject({
      code: "out-of-sequence",
    });
  });

  it("M11: no deadline comes early, and one at the end of all times waits for it", async () => {
    const world = await stage();
    const client = await enter(world, "mallory");
    const deadline = Number.MAX_SAFE_INTEGER;
    expect(await client.send("votes", "propose", { ...proposal, deadline })).toMatchObject(DONE);
    expect(await client.send("votes", "propose", { ...proposal, deadline: 1 })).toMatchObject({
      reason: { code: "invalid-proposal" },
    });
    expect(await client.send("locks", "acquire", { lock: "l", ttl: 3_600_000 })).toMatchObject(DONE);
    expect(await client.send("locks", "acquire", { lock: "m", ttl: 1e15 })).toMatchObject({ code: "invalid-data" });
    await world.control.served(20);
    const [one] = (await stateOf(world, "votes")).proposals.values();
    expect(one.result).toBe(null);
    expect((await stateOf(world, "locks")).locks.get("l").holder).toMatchObject({ user: "mallory" });
  });
});

describe("G8: secret ballots", () => {
  it("tell nobody anything, however they are asked for: not their voter, not others, not admins", async () => {
    const world = await stage();
    const [ada, bea] = [await enter(world, "ada"), await enter(world, "bea")];
    const electorate = { ada: 1, bea: 1, cai: 1 };
    await ada.send("votes", "propose", { ...proposal, ballots: "secret", electorate, early: false });
    const [id] = (await stateOf(world, "votes")).proposals.keys();
    const peepers = [await enter(world, "mallory"), await enter(world, "root", { grants: { "*": ["admin"] } }), ada];
    for (const { socket } of peepers) socket.say({ type: "subscribe", id: 2, channel: DESK });
    for (const { socket } of peepers) await socket.told(2);
    expect(await ada.send("votes", "cast", { proposal: id, choice: 1 })).toMatchObject(DONE);
    expect(await bea.send("votes", "cast", { proposal: id, choice: null })).toMatchObject(DONE);
    const asks = [
      { type: "state", channel: DESK, model: "votes", after: "0 ballots", bytes: 262_144 },
      { type: "state", channel: DESK, model: "votes", after: "0 proposals", bytes: 262_144 },
      { type: "history", channel: DESK, limit: 100 },
    ];
    const seen = [];
    for (const peeper of peepers) for (const ask of asks) seen.push(await peeper.ask(ask));
    for (const { socket } of peepers) {
      await socket.until(() => socket.everything.split("votes.cast").length > 2);
      seen.push(...socket.messages);
    }
    expect(JSON.stringify(seen)).not.toMatch(/"choice"/);
    const sealed = [...JSON.stringify(seen).matchAll(/"sealed":"([^"]*)"/g)].map(([, text = ""]) => text);
    // Two ballots that differ look the same but for what they were sealed with.
    expect(sealed.length).toBeGreaterThan(0);
    expect(new Set(sealed.map(({ length }) => length)).size).toBe(1);
    // A repeated attempt with another choice is answered as the first was: nothing can be tried out on it.
    const again = (choice: number | null) =>
      ada.send("votes", "cast", { proposal: id, choice }, { seq: 2, nonce: nonceOf(ada, 2) });
    const answers = [await again(1), await again(0), await again(null)].map((answer) => ({ ...answer, id: 0 }));
    expect(answers[0]).toMatchObject({ type: "published", duplicate: true });
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await peepers[0]?.send("votes", "cast", { proposal: id, choice: 0 })).toMatchObject({
      reason: { code: "not-a-voter" },
    });
  });
});

function nonceOf({ producer }: Line, seq: number): string {
  return `n${seq}-${producer}`.slice(0, 22).padEnd(22, "-");
}
