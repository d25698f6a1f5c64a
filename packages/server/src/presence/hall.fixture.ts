import type { Member, Members, ServerMessage } from "@tandem/protocol";
import type { RawClient } from "../connection/raw-client.fixture.ts";

/** The channel of these tests: its type declares a state, signals, and that four are shown. */
export const HALL = "hall:1";

let seqs = 0;

export function nextSeq(): number {
  return ++seqs;
}

export function enter(client: RawClient, page = "a", more: object = {}): Promise<ServerMessage | undefined> {
  return client.ask({ type: "enter", channel: HALL, seq: nextSeq(), state: { page }, ...more });
}

export function leave(client: RawClient): Promise<ServerMessage | undefined> {
  return client.ask({ type: "leave", channel: HALL, seq: nextSeq() });
}

export function watch(client: RawClient, more: object = {}): Promise<ServerMessage | undefined> {
  return client.ask({ type: "watch", channel: HALL, ...more });
}

export function signal(client: RawClient, signals: object, seq = nextSeq()): void {
  client.say({ type: "signal", channel: HALL, seq, signals });
}

/** Who is there, as this client was told: by user, with status and page. */
export function seen(client: RawClient): Record<string, string> {
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

/** What was told of one device, in order, without what was told again: its status, and `gone`. */
export function story(client: RawClient, device: string): string[] {
  const told: string[] = [];
  for (const { members, gone = [] } of client.all("members")) {
    if (gone.includes(device)) told.push("gone");
    const member = members.find((one) => one.device === device);
    if (member) told.push(member.status);
  }
  return told.filter((word, at) => word !== told[at - 1]);
}

/** What this client was told of signals of one key, the newest by device. */
export function latest(client: RawClient, key: string): Record<string, unknown> {
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

/** The number of users that this client was told last. */
export function count(client: RawClient): number | undefined {
  return client.all("members").at(-1)?.count;
}
