import { Cell } from "@tandem/runtime";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CursorMove } from "./people.ts";
import { People } from "./people.ts";
import type { Member, Place, PresenceListener } from "./presence-port.ts";

/** A channel whose every word a test speaks, and which notes what is said to it. */
class FakeChannel {
  readonly members = new Cell<readonly Member[]>([]);
  readonly count = new Cell(0);
  readonly status = new Cell<"pending" | "live" | "ended">("pending");
  readonly said: unknown[] = [];
  listener: PresenceListener | undefined;

  enter(name: string, listener: PresenceListener) {
    this.said.push(["enter", name]);
    this.listener = listener;
    const { members, count, status } = this;
    return {
      members,
      count,
      status,
      rename: (changed: string) => this.said.push(["rename", changed]),
      point: (place: Place | null) => this.said.push(["point", place]),
      type: (typing: boolean) => this.said.push(["type", typing]),
      leave: () => this.said.push(["leave"]),
    };
  }

  come(...members: readonly Member[]) {
    this.members.set(members);
    this.count.set(members.length);
    this.status.set("live");
  }

  types(device: string, user: string, data: true | null = true) {
    this.listener?.typing([{ device, user, data }]);
  }
}

const member = (user: string, name: string, more: Partial<Member> = {}): Member => {
  return { user, name: undefined, state: { name }, status: "active", devices: [{}], ...more };
};

function visit() {
  const channel = new FakeChannel();
  const name = new Cell("Me");
  const people = new People({ channel, self: new Cell<string | undefined>("me"), name });
  return { channel, name, people, leave: people.enter() };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the people in a room", () => {
  it("are shown with their names, how they are there, and by how many devices", () => {
    const { channel, people } = visit();
    expect(people.get()).toEqual({ people: [], count: 0, status: "pending" });
    const [tablet, phone] = [{}, {}];
    channel.come(member("ada", "Ada"), member("me", "Me", { devices: [tablet, phone], status: "idle" }));
    expect(people.get()).toEqual({
      people: [
        { user: "ada", name: "Ada", status: "active", devices: 1, self: false },
        { user: "me", name: "Me", status: "idle", devices: 2, self: true },
      ],
      count: 2,
      status: "live",
    });
    channel.status.set("pending");
    expect(people.get()).toMatchObject({ count: 2, status: "pending" });
  });

  it("are told of a new name, and nothing more once the reader has left", () => {
    const { channel, name, people, leave } = visit();
    name.set("Grace");
    people.typed("H");
    leave();
    name.set("Ada");
    people.point({ x: 0, y: 0 });
    people.typed("He");
    expect(channel.said).toEqual([["enter", "Me"], ["rename", "Grace"], ["type", true], ["type", false], ["leave"]]);
    expect(people.get().people).toEqual([]);
  });

  it("point: others who are known, never the reader", () => {
    const { channel, people } = visit();
    channel.come(member("ada", "Ada"), member("me", "Me"));
    const moves: CursorMove[] = [];
    const stop = people.onCursors((batch) => moves.push(...batch));
    const place = { x: 0.5, y: 0.5 };
    channel.listener?.cursors([
      { device: "d1", user: "ada", data: place },
      { device: "d2", user: "me", data: place },
      { device: "d3", user: undefined, data: place },
      { device: "d4", user: undefined, data: null },
    ]);
    expect(moves).toEqual([
      { device: "d4", user: "", name: "", place: null },
      { device: "d1", user: "ada", name: "Ada", place },
    ]);
    stop();
    channel.listener?.cursors([{ device: "d1", user: "ada", data: place }]);
    expect(moves).toHaveLength(2);
  });
});

describe("typing", () => {
  it("is shown of others by name, each once, and does not flicker between two lines", () => {
    const { channel, people } = visit();
    channel.come(member("ada", "Ada"), member("grace", "Grace"), member("me", "Me"));
    channel.types("d1", "ada");
    channel.types("d2", "ada");
    channel.types("d3", "grace");
    channel.types("d4", "me");
    expect(people.typing.get()).toEqual(["Ada", "Grace"]);
    let changes = 0;
    people.typing.subscribe(() => changes++);
    channel.types("d3", "grace", null);
    vi.advanceTimersByTime(200);
    channel.types("d3", "grace");
    vi.advanceTimersByTime(1_000);
    expect([people.typing.get(), changes]).toEqual([["Ada", "Grace"], 0]);
    channel.types("d3", "grace", null);
    vi.advanceTimersByTime(1_000);
    expect([people.typing.get(), changes]).toEqual([["Ada"], 1]);
  });

  it("is not believed for ever of somebody who is not heard of again", () => {
    const { channel, people } = visit();
    channel.come(member("ada", "Ada"));
    channel.types("d1", "ada");
    vi.advanceTimersByTime(5_000);
    channel.types("d1", "ada");
    vi.advanceTimersByTime(5_000);
    expect(people.typing.get()).toEqual(["Ada"]);
    vi.advanceTimersByTime(5_000);
    expect(people.typing.get()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("of the reader is told at the first letter, again while it goes on, and once when it ends", () => {
    const { channel, people } = visit();
    for (let letters = 1; letters <= 8; letters++) {
      people.typed("x".repeat(letters));
      vi.advanceTimersByTime(1_000);
    }
    vi.advanceTimersByTime(10_000);
    people.typed("  ");
    people.typed("x");
    people.typed("");
    const typing = [true, true, true, false, true, false];
    expect(channel.said).toEqual([["enter", "Me"], ...typing.map((value) => ["type", value])]);
  });
});
