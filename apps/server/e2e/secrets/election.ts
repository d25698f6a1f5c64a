import { randomInt } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { channel, defineApp } from "@tandem/app";
import { vote } from "@tandem/model";
import { createServer, LOG_FILE, mintToken } from "@tandem/server";
import { Voter } from "./voter.ts";

const SECRET = "a secret of more than thirty-two letters";
/** So few that each has a stored snapshot of its state, too. */
const CHANNELS = ["room:1", "room:2", "room:3"];
const VOTERS = ["ada", "bob", "cai", "dov", "eve", "fay"];

const app = defineApp({
  channels: { room: channel({ events: {}, models: { votes: vote({ open: 100, keep: 1_000 }) } }) },
});

/** What a voter chose in the end. */
export interface Chosen {
  readonly proposal: string;
  readonly voter: string;
  readonly choice: 0 | 1;
}

/** Votes that have taken place: what is left of them, and what the test alone knows. */
export interface Election {
  /** The data folder of a server that was closed. */
  readonly folder: string;
  /** What each client was sent. `observer` voted for nothing. */
  readonly frames: ReadonlyMap<string, readonly string[]>;
  readonly chosen: readonly Chosen[];
  /** The keys that there were while the votes were open, by proposal. */
  readonly keys: ReadonlyMap<string, string>;
  readonly nonces: readonly string[];
}

/**
 * Holds `votes` votes of two options on a real server: six voters each toss a coin, some change their mind, some send again what was answered
 * already, in any order. Each vote closes by itself when everybody has voted.
 */
export async function hold(votes: number, ballots: "secret" | "open"): Promise<Election> {
  const folder = mkdtempSync(join(tmpdir(), "tandem-secrets-"));
  const most = 10_000_000;
  const limits = { publishesPerConnection: most, publishesPerUser: most, publishesPerAddress: most };
  const server = await createServer(app, { data: folder, secret: SECRET, port: 0, limits });
  const { port } = await server.listen();
  const clients = await Promise.all(
    ["observer", ...VOTERS].map(async (user) => {
      const token = await mintToken({ secret: SECRET, user, grants: { "room:*": ["read", "write"] } });
      return Voter.connect(user, `ws://127.0.0.1:${port}/ws`, token, CHANNELS);
    }),
  );
  const voters = clients.slice(1);
  const electorate = Object.fromEntries(VOTERS.map((user) => [user, 1]));
  const question = { title: "Which?", options: ["this", "that"], electorate, ballots };
  const proposals = new Map<string, string[]>();
  for (const [at, name] of CHANNELS.entries()) {
    const model = server.application().model(name, "votes");
    const count = Math.floor(votes / CHANNELS.length) + (at < votes % CHANNELS.length ? 1 : 0);
    for (let n = 0; n < count; n++) await model.command("propose", question);
    const { proposals: table } = (await model.state()).state as ReturnType<ReturnType<typeof vote>["initial"]>;
    proposals.set(name, [...table.keys()]);
  }
  const keys = keysIn(folder);
  const all = [...proposals].flatMap(([name, ids]) => ids.map((id) => castAll(name, id, voters)));
  const chosen = await Promise.all(all);
  for (const [name, ids] of proposals) {
    const { state } = await server.application().model(name, "votes").state();
    const { proposals: table } = state as ReturnType<ReturnType<typeof vote>["initial"]>;
    if (ids.some((id) => table.get(id)?.result === null)) throw new Error("a vote is still open");
  }
  for (const client of clients) client.close();
  await server.close();
  return {
    folder,
    frames: new Map(clients.map(({ user, frames }) => [user, frames])),
    chosen: chosen.flat(),
    keys,
    nonces: clients.flatMap(({ nonces }) => nonces),
  };
}

async function castAll(name: string, proposal: string, voters: readonly Voter[]): Promise<Chosen[]> {
  const results: Chosen[] = [];
  for (const [at, voter] of shuffled(voters).entries()) {
    const last = at === voters.length - 1;
    // The last ballot closes the vote: nobody changes their mind after it.
    for (let before = last ? 0 : randomInt(2); before > 0; before--) {
      await voter.cast(name, proposal, randomInt(2), randomInt(2));
    }
    const choice = randomInt(2) as 0 | 1;
    await voter.cast(name, proposal, choice, randomInt(2));
    results.push({ proposal, voter: voter.user, choice });
  }
  return results;
}

export function keysIn(folder: string): Map<string, string> {
  const database = new DatabaseSync(join(folder, LOG_FILE), { readOnly: true });
  const rows = database.prepare("SELECT name, key FROM sealing_keys").all() as { name: string; key: string }[];
  database.close();
  return new Map(rows.map(({ name, key }) => [name, key]));
}

export function shuffled<T>(list: readonly T[]): T[] {
  const left = [...list];
  return Array.from(list, () => left.splice(randomInt(left.length), 1)[0] as T);
}
