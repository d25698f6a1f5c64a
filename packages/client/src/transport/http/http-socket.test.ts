import type { ClientMessageInput } from "@tandem/protocol";
import { DEFAULT_LIMITS, jsonFrames } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import { at, events } from "../../testing/scripted-server.ts";
import { VirtualRuntime } from "../../testing/virtual-runtime.ts";
import { HttpSocket } from "./http-socket.ts";
import type { PostEvents, PostRequest } from "./post.ts";

type Message = Record<string, unknown>;

/** One request of the client, answered by hand. */
class Asked {
  readonly request: PostRequest;
  readonly messages: ClientMessageInput[];
  isGivenUp = false;
  readonly #events: PostEvents;
  readonly #runtime: VirtualRuntime;

  constructor(request: PostRequest, events: PostEvents, runtime: VirtualRuntime) {
    this.request = request;
    this.messages = request.body.split("\n").flatMap((frame) => JSON.parse(frame));
    this.#events = events;
    this.#runtime = runtime;
  }

  /** What it asks for, without `hello`. */
  get asks() {
    return this.messages.slice(1) as unknown as Message[];
  }

  /** A frame of the answer: an event of a stream, or all there is. */
  async say(...messages: object[]): Promise<void> {
    const frame = JSON.stringify(messages);
    this.#events.text(this.request.accept === "text/event-stream" ? `data: ${frame}\n\n` : frame);
    await this.#runtime.settle();
  }

  async text(piece: string): Promise<void> {
    this.#events.text(piece);
    await this.#runtime.settle();
  }

  async end(status = 200, retryAfter = 0): Promise<void> {
    this.#events.ended(status, retryAfter);
    await this.#runtime.settle();
  }
}

const WELCOME = {
  type: "welcome",
  id: 1,
  connection: "c1",
  user: "ada",
  tenant: "default",
  time: 0,
  limits: DEFAULT_LIMITS,
  following: { version: 0, channels: [] },
};
const subscribed = (id: number, offset: number) => ({
  type: "subscribed",
  id,
  channel: "room:1",
  position: at(offset),
  head: offset,
});

function stage(transport: "sse" | "poll" = "sse") {
  const runtime = new VirtualRuntime();
  const asked: Asked[] = [];
  const told: Message[] = [];
  const closed: (number | string)[] = [];
  let count = 0;
  const post = (request: PostRequest, postEvents: PostEvents) => {
    const one = new Asked(request, postEvents, runtime);
    asked.push(one);
    return () => {
      one.isGivenUp = true;
    };
  };
  const socket = new HttpSocket(
    transport,
    "wss://test/ws?tab=1",
    { runtime, codec: jsonFrames, post, count: () => ++count },
    {
      opened: () =>
        socket.send(
          JSON.stringify([{ type: "hello", id: 7, token: "t1", instance: { secret: "s", connection: 100 } }]),
        ),
      frame: (frame) => void told.push(...(JSON.parse(String(frame)) as Message[])),
      closed: (code, reason) => void closed.push(code, reason),
    },
  );
  const last = (path: "stream" | "send") => {
    const found = asked.filter(({ request }) => request.url.includes(`/${path}?`)).at(-1);
    if (!found) throw new Error(`Nothing was asked of ${path}.`);
    return found;
  };
  const send = async (...messages: object[]) => {
    socket.send(JSON.stringify(messages));
    await runtime.pass(50);
  };
  const welcomed = async () => {
    await runtime.pass(0);
    await last("stream").say(WELCOME);
    await runtime.pass(50);
    told.length = 0;
  };
  return {
    runtime,
    asked,
    told,
    closed,
    socket,
    send,
    welcomed,
    down: () => last("stream"),
    up: () => last("send"),
    /** What was told since this was called last. */
    news: () => told.splice(0),
    /** Subscribed to room:1, at offset 3. */
    async stand() {
      await welcomed();
      await send({ type: "subscribe", id: 8, channel: "room:1", atLeast: at(1) });
      await last("stream").say(WELCOME, subscribed(2, 3));
      await runtime.pass(50);
      told.length = 0;
    },
  };
}

describe("what comes down", () => {
  it("T1: is asked for by a request that stands alone, with the token in its body", async () => {
    const { runtime, down, news, asked } = stage();
    await runtime.pass(0);
    expect(down().request).toMatchObject({ url: "https://test/ws/stream?tab=1", accept: "text/event-stream" });
    expect(down().messages).toEqual([
      { type: "hello", id: 1, token: "t1", instance: { secret: "s", connection: 101 } },
    ]);
    await down().say(WELCOME);
    expect(news()).toEqual([{ ...WELCOME, id: 7 }]);
    expect(asked).toHaveLength(1);
  });

  it("T4 G3: goes on from where it was, and what was answered is not answered again", async () => {
    const { stand, down, news, runtime, asked } = stage();
    await stand();
    await down().say(events("room:1", 3, 5));
    expect(news()).toMatchObject([{ type: "events", to: 5 }]);
    await down().end();
    await runtime.pass(50);
    expect(down().messages).toEqual([
      { type: "hello", id: 1, token: "t1", instance: { secret: "s", connection: 103 }, following: 0 },
      { type: "subscribe", id: 2, channel: "room:1", from: at(5) },
    ]);
    await down().say(WELCOME, subscribed(2, 5));
    await down().say(events("room:1", 5, 6));
    expect(news().map(({ type }) => type)).toEqual(["events"]);
    expect(asked).toHaveLength(3);
  });

  it("T4: is asked for anew with whatever else is wanted, once the present request is answered", async () => {
    const { welcomed, down, news, send, asked } = stage();
    await welcomed();
    await send({ type: "subscribe", id: 8, channel: "room:1" });
    const first = down();
    await send({ type: "subscribe", id: 9, channel: "room:2", from: { last: 5 } });
    await send({ type: "watch", id: 10, channel: "room:2" });
    expect(down()).toBe(first);
    await first.say(WELCOME, subscribed(2, 3));
    await send();
    expect(asked).toHaveLength(3);
    expect(first.isGivenUp).toBe(true);
    expect(down().asks).toEqual([
      { type: "subscribe", id: 2, channel: "room:1", from: at(3) },
      { type: "subscribe", id: 3, channel: "room:2", from: { last: 5 } },
      { type: "watch", id: 4, channel: "room:2" },
    ]);
    expect(news()).toMatchObject([{ type: "subscribed", id: 8 }]);
    await down().say(
      WELCOME,
      subscribed(2, 3),
      { ...subscribed(3, 1), channel: "room:2" },
      { type: "watching", id: 4, channel: "room:2" },
    );
    expect(news()).toMatchObject([
      { type: "subscribed", id: 9 },
      { type: "watching", id: 10 },
    ]);
  });

  it("G3: a history that does not go on is told as a reset, and a right that was lost as the end", async () => {
    const { stand, down, news, runtime } = stage();
    await stand();
    await down().end();
    await runtime.pass(50);
    await down().say(WELCOME, { ...subscribed(2, 9), reset: "trimmed" });
    expect(news()).toEqual([{ type: "reset", channel: "room:1", position: at(9), reason: "trimmed" }]);
    await down().end();
    await runtime.pass(50);
    expect(down().asks).toMatchObject([{ from: at(9) }]);
    await down().say(WELCOME, {
      type: "error",
      id: 2,
      code: "forbidden",
      message: "No.",
      retryable: false,
      channel: "room:1",
    });
    expect(news()).toMatchObject([{ type: "error", code: "forbidden", channel: "room:1" }]);
    await down().end();
    await runtime.pass(50);
    expect(down().asks).toEqual([]);
  });

  it("a watch and a place that are refused from here on end alone, as a server would tell it", async () => {
    const { welcomed, down, send, told, runtime } = stage();
    await welcomed();
    await send(
      { type: "watch", id: 8, channel: "room:1", signals: true },
      { type: "enter", id: 9, channel: "room:1", seq: 1 },
    );
    const [watching, entered] = [{ type: "watching" }, { type: "entered" }];
    await down().say(WELCOME, { ...watching, id: 2, channel: "room:1" }, { ...entered, id: 3, channel: "room:1" });
    await down().end();
    await runtime.pass(50);
    told.length = 0;
    const refusal = { type: "error", code: "forbidden", message: "no", retryable: false, channel: "room:1" };
    await down().say(WELCOME, { ...refusal, id: 2 }, { ...refusal, id: 3 });
    expect(told.filter(({ channel }) => channel)).toMatchObject([
      { type: "unwatched", channel: "room:1" },
      { type: "unsignalled", code: "not-a-member", channel: "room:1" },
    ]);
    await down().end();
    await runtime.pass(50);
    expect(down().asks).toEqual([]);
  });

  it("G3: what goes on and is refused for now is asked for again, from where it was", async () => {
    const { stand, down, news, runtime, asked } = stage();
    await stand();
    await down().end();
    await runtime.pass(50);
    const refusal = { type: "error", id: 2, code: "storage-unavailable", message: "No.", retryable: true };
    await down().say(WELCOME, { ...refusal, retryAfter: 500, channel: "room:1" });
    await runtime.pass(400);
    expect([asked.length, news()]).toEqual([3, []]);
    await runtime.pass(100);
    expect(down().asks).toMatchObject([{ type: "subscribe", from: at(3) }]);
  });

  it("of a subscription that was left is nobody's any more", async () => {
    const { stand, down, news, send } = stage();
    await stand();
    const before = down();
    await send({ type: "unsubscribe", id: 9, channel: "room:1" }, { type: "subscribe", id: 10, channel: "room:1" });
    expect(news()).toEqual([{ type: "unsubscribed", id: 9, channel: "room:1" }]);
    await before.say(events("room:1", 3, 4));
    expect(news()).toEqual([]);
    await down().say(WELCOME, subscribed(2, 4), events("room:1", 4, 5));
    expect(news()).toMatchObject([
      { type: "subscribed", id: 10 },
      { type: "events", from: 4 },
    ]);
  });

  it("T2: by polls is asked for without waiting where something is to be answered first, and waited for else", async () => {
    const { runtime, down, send, news, asked } = stage("poll");
    await runtime.pass(0);
    expect(down().request).toMatchObject({ accept: "application/json", now: true });
    await down().say(WELCOME);
    await down().end();
    await runtime.pass(50);
    expect(down().request.now).toBe(false);
    const held = down();
    await send({ type: "subscribe", id: 8, channel: "room:1" });
    expect([held.isGivenUp, down().request.now]).toEqual([true, true]);
    await down().say(WELCOME, subscribed(2, 3));
    await down().end();
    expect(news().map(({ type }) => type)).toEqual(["welcome", "subscribed"]);
    await runtime.pass(50);
    expect(down().request.now).toBe(false);
    await down().say(WELCOME, subscribed(2, 3), events("room:1", 3, 4));
    await down().end();
    await runtime.pass(50);
    expect(down().asks).toMatchObject([{ from: at(4) }]);
    expect(asked).toHaveLength(5);
  });

  it("R14: a watch goes on from its bookmark, unless it was told more since or is another one", async () => {
    const { welcomed, down, news, send, runtime } = stage();
    await welcomed();
    const watching = { type: "watching", id: 2, channel: "room:1" };
    const members = { type: "members", channel: "room:1", full: true, members: [], count: 0, signalMs: 50 };
    const bookmark = (name: string) => ({ type: "bookmark", channel: "room:1", bookmark: name });
    await send({ type: "watch", id: 8, channel: "room:1" });
    await down().say(WELCOME, watching, members, bookmark("a.b"));
    expect(news().map(({ type }) => type)).toEqual(["watching", "members"]);
    await down().end();
    await runtime.pass(50);
    expect(down().asks).toEqual([{ type: "watch", id: 2, channel: "room:1", after: "a.b" }]);
    await down().say(WELCOME, watching);
    await down().end();
    await runtime.pass(50);
    expect(down().asks).toMatchObject([{ after: "a.b" }]);
    await down().say(WELCOME, watching, { ...members, full: undefined });
    await down().end(0);
    await runtime.pass(1_000);
    expect(down().asks).toEqual([{ type: "watch", id: 2, channel: "room:1" }]);
    await down().say(WELCOME, watching);
    const before = down();
    await send({ type: "unwatch", id: 9, channel: "room:1" }, { type: "watch", id: 10, channel: "room:1" });
    news();
    await before.say(members, bookmark("c.d"));
    expect(news()).toEqual([]);
    await runtime.pass(50);
    expect(down().asks).toEqual([{ type: "watch", id: 2, channel: "room:1" }]);
  });

  it("U3: tells a list that changed while nobody was there to be told, and none that did not", async () => {
    const { down, news, send, stand, runtime } = stage();
    await stand();
    for (const [version, ...channels] of [[1, "room:2"], [1, "room:2"], [2]] as const) {
      await down().end();
      await runtime.pass(2_000);
      await down().say({ ...WELCOME, following: { version, channels } }, subscribed(2, 3));
    }
    await down().end();
    await runtime.pass(2_000);
    expect(down().messages).toMatchObject([{ type: "hello", following: 2 }, {}]);
    await down().say({ ...WELCOME, following: { version: 2, channels: [] } }, subscribed(2, 3));
    expect(news().filter(({ type }) => type === "following")).toEqual([
      { type: "following", version: 1, channels: ["room:2"] },
      { type: "following", version: 2, channels: [] },
    ]);
    await send({ type: "refresh", id: 9, token: "t2" });
    await down().say({ ...WELCOME, following: { version: 3, channels: ["room:9"] } }, subscribed(2, 3));
    expect(news()).toMatchObject([
      { type: "welcome", id: 9 },
      { type: "following", version: 3, channels: ["room:9"] },
    ]);
    await down().say({ type: "following", version: 4, channels: ["room:3"] });
    await down().end();
    await runtime.pass(2_000);
    await down().say({ ...WELCOME, following: { version: 4, channels: ["room:3"] } }, subscribed(2, 3));
    expect(news().filter(({ type }) => type === "following")).toEqual([
      { type: "following", version: 4, channels: ["room:3"] },
    ]);
  });

  it("may come in any pieces", async () => {
    const { runtime, down, news } = stage();
    await runtime.pass(0);
    const text = `:\n\ndata: ${JSON.stringify([WELCOME])}\n\n`;
    for (const letter of text) await down().text(letter);
    expect(news()).toMatchObject([{ type: "welcome" }]);
  });

  it("of more than one frame's size is asked for in several", async () => {
    const { welcomed, send, down } = stage();
    await welcomed();
    await send(...Array.from({ length: 600 }, (_, id) => ({ type: "subscribe", id: id + 10, channel: `room:${id}` })));
    const frames = down()
      .request.body.split("\n")
      .map((frame) => JSON.parse(frame).length);
    expect(frames).toEqual([512, 89]);
  });
});

describe("what fails", () => {
  it("T6: a stream whose first word does not come in four seconds is no road", async () => {
    const { runtime, closed, down } = stage();
    await runtime.pass(3_999);
    expect(closed).toEqual([]);
    await runtime.pass(1);
    expect([closed, down().isGivenUp]).toEqual([[1006, ""], true]);
    expect(runtime.timers).toBe(0);
  });

  it("a stream that falls silent is asked for again, three failures in a row end the road", async () => {
    const { stand, down, closed, runtime, asked } = stage();
    await stand();
    await runtime.pass(25_000);
    expect([asked.length, closed]).toEqual([2, []]);
    await runtime.pass(1_000);
    expect(asked).toHaveLength(3);
    await down().end(502);
    await runtime.pass(2_000);
    expect(asked).toHaveLength(4);
    await down().end(0);
    expect(closed).toEqual([1006, ""]);
    expect(runtime.timers).toBe(0);
  });

  it("a server that asks to wait is not asked before", async () => {
    const { stand, down, runtime, asked } = stage();
    await stand();
    await down().end(503, 5_000);
    await runtime.pass(4_900);
    expect(asked).toHaveLength(2);
    await runtime.pass(200);
    expect(asked).toHaveLength(3);
  });

  it("T5: a close code is told after what was said before it", async () => {
    const { stand, down, closed, news } = stage();
    await stand();
    await down().say(
      { type: "closing", code: "shutting-down", retryAfter: 300 },
      { type: "close", code: 4500, reason: "shutting-down" },
    );
    expect(news()).toMatchObject([{ type: "closing" }]);
    expect(closed).toEqual([4500, "shutting-down"]);
  });

  it("a refused hello is told under its own id", async () => {
    const { runtime, down, closed, news } = stage();
    await runtime.pass(0);
    await down().say(
      { type: "error", id: 1, code: "token-invalid", message: "No.", retryable: false },
      { type: "close", code: 4401, reason: "token-invalid" },
    );
    expect(news()).toMatchObject([{ type: "error", id: 7, code: "token-invalid" }]);
    expect(closed).toEqual([4401, "token-invalid"]);
  });
});

describe("a token", () => {
  const NEEDS_AUTH = { type: "error", code: "needs-auth", message: "It has expired.", retryable: true };

  it("T5: that has ended lets go of everything; the fresh one comes with the next request", async () => {
    const { stand, down, news, send, runtime, asked, closed } = stage();
    await stand();
    await down().say(NEEDS_AUTH, { type: "close", code: 4004, reason: "needs-auth" });
    await down().end();
    expect(news()[0]).toMatchObject({ code: "needs-auth", retryable: true });
    await runtime.pass(30_000);
    expect([asked.length, closed]).toEqual([2, []]);
    await send({ type: "ping" });
    expect(news()).toEqual([{ type: "pong" }]);
    await send({ type: "refresh", id: 20, token: "t2" });
    expect(down().messages).toMatchObject([{ type: "hello", token: "t2" }]);
    await down().say(WELCOME);
    expect(news()).toMatchObject([{ type: "welcome", id: 20 }]);
  });

  it("that is refused beforehand leaves the old one", async () => {
    const { stand, down, news, send, runtime, closed } = stage();
    await stand();
    await send({ type: "refresh", id: 20, token: "t2" });
    await down().say(
      { type: "error", id: 1, code: "token-invalid", message: "No.", retryable: false },
      { type: "close", code: 4401, reason: "token-invalid" },
    );
    await down().end();
    expect(news()).toMatchObject([{ type: "error", id: 20, code: "token-invalid" }]);
    await runtime.pass(1_000);
    expect(down().messages).toMatchObject([{ token: "t1" }, { type: "subscribe", from: at(3) }]);
    expect(closed).toEqual([]);
  });

  it("that a POST finds to have ended is the same", async () => {
    const { stand, up, news, send } = stage();
    await stand();
    await send({ type: "history", id: 9, channel: "room:1", limit: 1 });
    await up().say(
      { type: "error", id: 7, code: "token-expired", message: "It has expired.", retryable: true },
      { type: "close", code: 4004, reason: "token-expired" },
    );
    await up().end();
    expect(news()).toMatchObject([{ code: "needs-auth", retryable: true }]);
  });
});

describe("what goes up", () => {
  const publish = (id: number) => ({
    type: "publish",
    id,
    channel: "room:1",
    event: "message",
    data: id,
    producer: "p",
    seq: id,
  });
  const published = (id: number) => ({ type: "published", id, position: at(id) });

  it("T8: publishes go one request at a time, in their order, and what else is asked beside them", async () => {
    const { stand, up, send, news } = stage();
    await stand();
    await send(publish(31), publish(32));
    const first = up();
    expect(first.request).toMatchObject({ url: "https://test/ws/send?tab=1", accept: "application/json" });
    expect(first.messages).toMatchObject([
      { type: "hello", id: 7, instance: { connection: 102 } },
      { id: 31 },
      { id: 32 },
    ]);
    await send(publish(33));
    expect(up()).toBe(first);
    await send({ type: "history", id: 34, channel: "room:1", limit: 1 });
    expect(up().asks).toMatchObject([{ type: "history", id: 34 }]);
    await first.say(WELCOME, published(31), published(32));
    await first.end();
    expect(news()).toEqual([published(31), published(32)]);
    expect(up().asks).toMatchObject([{ id: 33 }]);
  });

  it("T8 G1: what was left unanswered is posted again, before what came later", async () => {
    const { stand, up, send, runtime, news, closed } = stage();
    await stand();
    await send(publish(31), publish(32), publish(33));
    const first = up();
    await send(publish(34));
    await first.say(WELCOME, published(31));
    await first.end();
    expect(up().asks).toMatchObject([{ id: 32 }, { id: 33 }, { id: 34 }]);
    await up().end(0);
    await runtime.pass(1_000);
    expect(up().asks).toMatchObject([{ id: 32 }, { id: 33 }, { id: 34 }]);
    await up().say(WELCOME, published(32), published(33), published(34));
    await up().end();
    expect(news()).toEqual([31, 32, 33, 34].map(published));
    await send({ type: "ping" });
    for (let failures = 0; failures < 3; failures++) {
      await up().end(500);
      await runtime.pass(2_000);
    }
    expect(closed).toEqual([1006, ""]);
    expect(runtime.timers).toBe(0);
  });

  it("neither acknowledgements nor signs of life: the next request is both", async () => {
    const { stand, asked, send } = stage();
    await stand();
    await send({ type: "received", frames: 3 }, { type: "pong" });
    expect(asked).toHaveLength(2);
  });

  it("a change of what one says of oneself, which the next request for what comes down repeats", async () => {
    const { welcomed, down, up, send, runtime } = stage();
    await welcomed();
    const enter = { type: "enter", channel: "room:1", activity: "active" };
    await send({ ...enter, id: 8, seq: 1 });
    expect(down().asks).toMatchObject([{ type: "enter", seq: 1 }]);
    await down().say(WELCOME, { type: "entered", id: 2, channel: "room:1" });
    await send({ ...enter, id: 9, seq: 2 });
    expect(up().asks).toMatchObject([{ id: 9, seq: 2 }]);
    await down().end();
    await runtime.pass(50);
    expect(down().asks).toMatchObject([{ type: "enter", seq: 2 }]);
  });

  it("G6: a change that is refused, where one is told not to be there: what comes down is asked for without it", async () => {
    const { welcomed, down, up, send, runtime, told } = stage();
    await welcomed();
    const enter = { type: "enter", channel: "room:1", activity: "active" };
    await send({ ...enter, id: 8, seq: 1 });
    await down().say(WELCOME, { type: "entered", id: 2, channel: "room:1" });
    await send({ ...enter, id: 9, seq: 2 });
    const refusal = { type: "error", id: 9, code: "not-a-member", message: "no", retryable: true, channel: "room:1" };
    await up().say(WELCOME, refusal);
    await up().end();
    expect(told.at(-1)).toMatchObject({ id: 9, code: "not-a-member" });
    await runtime.pass(50);
    expect(down().asks).toEqual([]);
    await send({ ...enter, id: 10, seq: 3 });
    await down().say(WELCOME);
    await runtime.pass(50);
    expect(down().asks).toMatchObject([{ type: "enter", seq: 3 }]);
  });

  it("R5: a change that is refused for what it says: what was said before stays", async () => {
    const { welcomed, down, up, send, runtime } = stage();
    await welcomed();
    const enter = { type: "enter", channel: "room:1", activity: "active" };
    await send({ ...enter, id: 8, seq: 1, state: "a" });
    await down().say(WELCOME, { type: "entered", id: 2, channel: "room:1" });
    await send({ ...enter, id: 9, seq: 2, state: "b" });
    const refusal = { type: "error", id: 9, code: "invalid-data", message: "no", retryable: false, channel: "room:1" };
    await up().say(WELCOME, refusal);
    await up().end();
    await down().end();
    await runtime.pass(50);
    expect(down().asks).toMatchObject([{ type: "enter", seq: 1, state: "a" }]);
  });

  it("a goodbye: what waits, and that one leaves", async () => {
    const { welcomed, down, up, send, socket, closed } = stage();
    await welcomed();
    await send({ type: "enter", id: 8, channel: "room:1", seq: 5 });
    await down().say(WELCOME, { type: "entered", id: 2, channel: "room:1" });
    await send(publish(31));
    const first = up();
    await send(publish(32));
    socket.close(1000, "");
    expect(up().request.outlives).toBe(true);
    expect(up().asks).toMatchObject([{ id: 32 }, { type: "leave", channel: "room:1", seq: 6 }]);
    expect([down().isGivenUp, first.isGivenUp]).toEqual([true, false]);
    await up().end();
    expect(closed).toEqual([1000, ""]);
  });

  it("nothing again after a goodbye: what is under way may fail, and what waited went with the last word", async () => {
    const { welcomed, up, send, socket, asked, runtime } = stage();
    await welcomed();
    await send({ type: "follow", id: 8, channel: "room:1", version: 0 }, publish(31));
    const underWay = asked.slice(-2);
    await send(publish(32));
    socket.close(1000, "");
    await up().end();
    const posted = asked.length;
    for (const one of underWay) await one.end(0);
    await runtime.pass(60_000);
    expect(asked.length).toBe(posted);
  });
});
