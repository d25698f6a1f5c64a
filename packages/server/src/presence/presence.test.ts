import type { Member, Members } from "@tandem/protocol";
import { msgpackCodec } from "@tandem/protocol/msgpack";
import { describe, expect, it } from "vitest";
import { cluster } from "../cluster.fixture.ts";
import type { RawClient } from "../connection/raw-client.fixture.ts";

const HALL = "hall:1";

let seqs = 0;

function enter(client: RawClient, page = "a", more: object = {}) {
  return client.ask({ type: "enter", channel: HALL, seq: ++seqs, state: { page }, ...more });
}

function watch(client: RawClient, more: object = {}) {
  return client.ask({ type: "watch", channel: HALL, ...more });
}

function signal(client: RawClient, signals: object) {
  client.say({ type: "signal", channel: HALL, seq: ++seqs, signals });
}

/** Who is there, as this client was told: by user, with what is shown. */
function seen(client: RawClient): Record<string, string> {
  const members = new Map<string, Member>();
  for (const message of client.all("members")) take(members, message);
  const list = [...members.values()].map(({ user, status, state }): [string, string] => [
    user,
    `${status} ${(state as { page: string } | undefined)?.page}`,
  ]);
  return Object.fromEntries(list.sort());
}

function take(members: Map<string, Member>, message: Members): void {
  if (message.full) members.clear();
  for (const member of message.members) members.set(member.device, member);
  for (const device of message.gone ?? []) members.delete(device);
}

/** What this client was told of signals of one key, newest by device. */
function latest(client: RawClient, key: string): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const { full, signals } of client.all("signals")) {
    if (full) for (const device of Object.keys(all)) delete all[device];
    for (const [device, data] of Object.entries(signals[key] ?? {})) {
      if (data === null) delete all[device];
      else all[device] = data;
    }
  }
  return all;
}

describe("presence", () => {
  it("tells who is there, who comes, changes and goes", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    expect(await enter(ada)).toMatchObject({ type: "entered" });
    expect(await watch(ada)).toMatchObject({ type: "watching" });
    await world.advance(100);
    expect(seen(ada)).toEqual({ ada: "active a" });
    await enter(bob, "b");
    await world.advance(100);
    expect(seen(ada)).toEqual({ ada: "active a", bob: "active b" });
    expect(ada.all("members").at(-1)).toMatchObject({ count: 2, signalMs: 50 });
    await enter(bob, "c", { activity: "idle" });
    await world.advance(100);
    expect(seen(ada)).toEqual({ ada: "active a", bob: "idle c" });
    expect(await bob.ask({ type: "leave", channel: HALL, seq: ++seqs })).toMatchObject({ type: "left" });
    await world.advance(100);
    expect(seen(ada)).toEqual({ ada: "active a" });
    expect(ada.all("members").at(-1)).toMatchObject({ count: 1, gone: [world.device("bob")] });
  });

  it("speaks MessagePack as well", async () => {
    const world = await cluster();
    const bob = await world.client("bob", 0, msgpackCodec);
    const ada = await world.guest("ada");
    await enter(ada);
    await watch(bob);
    signal(ada, { cursor: { x: 1 } });
    await world.advance(100);
    expect(seen(bob)).toEqual({ ada: "active a" });
    expect(latest(bob, "cursor")).toEqual({ [world.device("ada")]: { x: 1 } });
  });

  it("a node tells the others", async () => {
    const world = await cluster({ nodes: 2 });
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob", { node: 1 })];
    await watch(bob);
    await enter(ada);
    await enter(bob, "b");
    signal(ada, { cursor: { x: 7 } });
    await world.advance(200);
    expect(seen(bob)).toEqual({ ada: "active a", bob: "active b" });
    expect(latest(bob, "cursor")).toEqual({ [world.device("ada")]: { x: 7 } });
  });
});
