import { Cell } from "@tandem/runtime";
import { describe, expect, it } from "vitest";
import { People } from "../people/people.ts";
import type { ChannelPort, HistoryPage, SubscriptionState } from "./channel-port.ts";
import type { Delivery, RoomEvent } from "./message.ts";
import { OpenedRooms } from "./opened-rooms.ts";
import { Room } from "./room.ts";

/** A channel whose every word a test speaks. */
class FakeChannel implements ChannelPort {
  readonly state = new Cell<SubscriptionState>("pending");
  readonly published: { text: string; id: () => string | undefined; delivery: Cell<Delivery> }[] = [];
  readonly asked: { before: number; answer: PromiseWithResolvers<HistoryPage> }[] = [];
  epoch = "e1";
  reachedOffset = 0;
  unsubscribed = false;
  #options: Parameters<ChannelPort["subscribe"]>[0] | undefined;

  publish({ text }: { text: string }) {
    const id = `p${this.published.length + 1}`;
    const delivery = new Cell<Delivery>({ kind: "queued" });
    const publication = { text, delivery, id: () => (delivery.get().kind === "queued" ? undefined : id) };
    this.published.push(publication);
    return publication;
  }

  subscribe(options: Parameters<ChannelPort["subscribe"]>[0]) {
    this.#options = options;
    return {
      state: this.state,
      reached: () => ({ epoch: this.epoch, offset: this.reachedOffset }),
      unsubscribe: () => {
        this.unsubscribed = true;
      },
    };
  }

  history({ before }: { before: number }) {
    const answer = Promise.withResolvers<HistoryPage>();
    this.asked.push({ before, answer });
    return answer.promise;
  }

  deliver(events: readonly RoomEvent[]) {
    this.reachedOffset = events.at(-1)?.offset ?? this.reachedOffset;
    this.#options?.onEvents(events);
  }

  goLive() {
    this.state.set("live");
  }

  reset(epoch: string, offset: number) {
    this.epoch = epoch;
    this.reachedOffset = offset;
    this.#options?.onReset(offset);
  }

  fail(reason: string) {
    this.#options?.onError(reason);
    this.state.set("ended");
  }
}

const self = new Cell<string | undefined>("me");
const channelOfNobody = {
  enter() {
    throw new Error("nobody enters");
  },
};
const openTools = () => Promise.reject(new Error("nothing to open"));
const nobody = new People({ channel: channelOfNobody, self, name: new Cell("Me") });

function events(from: number, to: number): RoomEvent[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    const offset = from + index;
    return {
      offset,
      id: `e${offset}`,
      type: "message",
      time: offset,
      author: "ada",
      data: { text: `t${offset}`, name: "Ada" },
    };
  });
}

function open(channel = new FakeChannel()) {
  const room = new Room({ id: "lobby", channel, people: nobody, self, openTools, now: () => 1_000 });
  return { room, channel, keys: () => room.get().rows.map((row) => row.key) };
}

function openAt(from: number, to: number) {
  const opened = open();
  opened.channel.deliver(events(from, to));
  opened.channel.goLive();
  return opened;
}

describe("Room", () => {
  it("G14: shows an own message from the moment it is written, in one row, with its honest status", () => {
    const { room, channel, keys } = openAt(1, 1);
    room.send("  hello ", "Me");
    expect(room.get().rows.at(-1)).toMatchObject({
      key: "draft-1",
      text: "hello",
      own: true,
      delivery: { kind: "queued" },
    });
    channel.published[0]?.delivery.set({ kind: "sent" });
    expect(room.get().rows.at(-1)?.delivery.kind).toBe("sent");
    channel.deliver([
      { offset: 2, id: "p1", type: "message", time: 5, author: "me", data: { text: "hello", name: "Me" } },
    ]);
    channel.published[0]?.delivery.set({ kind: "durable" });
    expect(keys()).toEqual(["e1", "draft-1"]);
    expect(room.get().rows.at(-1)).toMatchObject({ confirmed: true, delivery: { kind: "durable" } });
  });

  it("1,000 messages that came together change the store once, its own among them", () => {
    const { room, channel } = openAt(1, 1);
    for (let n = 1; n <= 3; n++) {
      room.send(`${n}`, "Me");
      channel.published[n - 1]?.delivery.set({ kind: "sent" });
    }
    let changes = 0;
    room.subscribe(() => changes++);
    const own = ["p1", "p2", "p3"].map((id, at) => ({ ...(events(2 + at, 2 + at)[0] as RoomEvent), id, author: "me" }));
    channel.deliver([...own, ...events(5, 1_001)]);
    expect(changes).toBe(1);
    expect(room.get().rows.filter((row) => row.key !== "")).toHaveLength(1_001);
  });

  it("does not send blank text", () => {
    const { room, channel } = openAt(1, 1);
    expect(room.send(" \n ", "Me")).toBe(false);
    expect(channel.published).toEqual([]);
  });

  it("sends a refused message again as a new one in its place", () => {
    const { room, channel, keys } = openAt(1, 1);
    room.send("hello", "Me");
    channel.published[0]?.delivery.set({ kind: "rejected", code: "queue-full", reason: "Full.", retryable: true });
    room.sendAgain("draft-1", "Me");
    expect(channel.published.map((one) => one.text)).toEqual(["hello", "hello"]);
    expect(keys()).toEqual(["e1", "draft-2"]);
  });

  it("fetches older messages page by page to the beginning, one page at a time", async () => {
    const { room, channel, keys } = openAt(151, 200);
    void room.loadOlder();
    void room.loadOlder();
    expect(channel.asked.map((one) => one.before)).toEqual([151]);
    channel.asked[0]?.answer.resolve({ events: events(51, 150), more: true, epoch: "e1" });
    await expect.poll(() => room.get().past.kind).toBe("more");
    void room.loadOlder();
    channel.asked[1]?.answer.resolve({ events: events(1, 50), more: false, epoch: "e1" });
    await expect.poll(() => room.get().past.kind).toBe("start");
    expect(keys()).toEqual(events(1, 200).map((event) => event.id));
    void room.loadOlder();
    expect(channel.asked).toHaveLength(2);
  });

  it("looks for messages behind events of other kinds, and never asks twice for the same", async () => {
    const { room, channel, keys } = open();
    const votes = events(101, 150).map((event) => ({ ...event, type: "votes.cast" }));
    channel.deliver(votes);
    channel.goLive();
    void room.loadOlder();
    const older = events(1, 100).map((event) => (event.offset > 2 ? { ...event, type: "votes.cast" } : event));
    channel.asked[0]?.answer.resolve({ events: older.slice(50), more: true, epoch: "e1" });
    await expect.poll(() => room.get().past.kind).toBe("more");
    void room.loadOlder();
    channel.asked[1]?.answer.resolve({ events: older.slice(0, 50), more: false, epoch: "e1" });
    await expect.poll(() => room.get().past).toEqual({ kind: "start", complete: true });
    expect(channel.asked.map((one) => one.before)).toEqual([101, 51]);
    expect(keys()).toEqual(["e1", "e2"]);
  });

  it("tells why older messages could not be fetched, and tries again when asked", async () => {
    const { room, channel } = openAt(151, 200);
    void room.loadOlder();
    channel.asked[0]?.answer.reject(new Error("The connection was lost."));
    await expect.poll(() => room.get().past).toEqual({ kind: "failed", reason: "The connection was lost." });
    void room.loadOlder();
    expect(channel.asked).toHaveLength(2);
  });

  it("G3: begins anew after a reset, keeps what waits, and takes no page of the history before", async () => {
    const { room, channel, keys } = openAt(151, 200);
    room.send("waits", "Me");
    void room.loadOlder();
    channel.reset("e2", 7);
    channel.asked[0]?.answer.resolve({ events: events(51, 150), more: true, epoch: "e1" });
    expect(channel.asked[1]?.before).toBe(8);
    channel.deliver([
      { offset: 8, id: "new8", type: "message", time: 8, author: "ada", data: { text: "t", name: "Ada" } },
    ]);
    channel.asked[1]?.answer.resolve({ events: events(1, 7), more: false, epoch: "e2" });
    await expect.poll(() => room.get().past.kind).toBe("start");
    expect(keys()).toEqual(["e1", "e2", "e3", "e4", "e5", "e6", "e7", "new8", "draft-1"]);
  });

  it("tells why a room cannot be read", () => {
    const { room, channel } = open();
    channel.fail("No such channel.");
    expect(room.get()).toMatchObject({ state: "ended", problem: "No such channel." });
  });

  it("shows what it cannot read as erased, and passes over other kinds of events", () => {
    const { room, channel } = open();
    channel.deliver([
      { offset: 1, id: "a", type: "message", time: 1, data: null },
      { offset: 2, id: "b", type: "reaction", time: 2, data: {} },
    ]);
    expect(room.get().rows.map((row) => [row.key, row.text])).toEqual([["a", undefined]]);
  });
});

describe("OpenedRooms", () => {
  it("keeps a room open for the next visit, and at most twenty, those with messages on their way last", () => {
    const channels = new Map<string, FakeChannel>();
    const rooms = new OpenedRooms((id) => {
      const channel = new FakeChannel();
      channels.set(id, channel);
      return new Room({ id, channel, people: nobody, self, openTools, now: () => 0 });
    });
    const first = rooms.visit("r0");
    first.send("still queued", "Me");
    expect(rooms.visit("r0")).toBe(first);
    for (let index = 1; index <= 20; index++) rooms.visit(`r${index}`);
    const closed = [...channels].filter(([, channel]) => channel.unsubscribed).map(([id]) => id);
    expect(closed).toEqual(["r1"]);
    expect(rooms.visit("r0")).toBe(first);
  });
});
