import { appendFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { bodyDigest } from "@tandem/protocol";
import { LOG_FILE } from "@tandem/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Election } from "./election.ts";
import { hold } from "./election.ts";
import { gather } from "./evidence.ts";
import { bestGuess, CHANCE } from "./guessing.ts";

const folders: string[] = [];
let election: Election;

beforeAll(async () => {
  election = await hold(200, "secret");
  folders.push(election.folder);
});

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The election as it would have ended with a leak. */
function leaking(leak: (folder: string, database: DatabaseSync) => void): Election {
  const folder = mkdtempSync(join(tmpdir(), "tandem-leak-"));
  folders.push(folder);
  cpSync(election.folder, folder, { recursive: true });
  const database = new DatabaseSync(join(folder, LOG_FILE));
  database.exec("BEGIN");
  leak(folder, database);
  database.exec("COMMIT");
  database.close();
  return { ...election, folder };
}

/** The ballots in a log, with what each voter chose in the end. */
function castsIn(database: DatabaseSync) {
  const choices = new Map(election.chosen.map(({ proposal, voter, choice }) => [`${proposal}/${voter}`, choice]));
  const rows = database
    .prepare(`SELECT channel, "offset", author, data FROM message_log WHERE type = 'votes.cast'`)
    .all() as { channel: number; offset: number; author: string; data: string }[];
  return rows.map(({ data, ...row }) => {
    const cast = JSON.parse(data) as { proposal: string; sealed: string };
    return { ...row, cast, proposal: cast.proposal, choice: choices.get(`${cast.proposal}/${row.author}`) ?? 0 };
  });
}

/** Letters by which texts are looked up. */
const START = 8;

/** Which of many texts stand in a long one. */
function standingIn(long: string, texts: readonly string[]): string[] {
  const byStart = Map.groupBy(texts, (text) => text.slice(0, START));
  const found: string[] = [];
  for (let at = 0; at < long.length; at++) {
    for (const text of byStart.get(long.slice(at, at + START)) ?? []) if (long.startsWith(text, at)) found.push(text);
  }
  return found;
}

const guessOn = (one: Election) => bestGuess(gather(one), one.chosen);

describe("200 secret votes that have closed", () => {
  it("G8: leave nothing by which a voter's choice could be guessed better than by a coin", () => {
    const evidence = gather(election);
    for (const { voter, numbers, texts } of evidence.trails.values()) {
      // The guessers had something to look at.
      expect([voter, numbers.copies, texts.digest?.length, texts.sealed?.length]).toEqual([voter, 6, 15, 92]);
    }
    expect(evidence.pieces).toBeGreaterThan(0);
    const verdict = bestGuess(evidence, election.chosen);
    expect(verdict.guessers).toBeGreaterThan(1_000);
    expect(verdict.pairs).toBeGreaterThan(0);
    expect(verdict, JSON.stringify(verdict)).toMatchObject({ deviations: expect.toSatisfy((off) => off < CHANCE) });
  });

  it("G8: leave neither keys nor nonces, in no file and with no other client", () => {
    const { bytes } = gather(election);
    const keys = [...election.keys.values()];
    const asBytes = keys.map((key) => Buffer.from(key, "base64url").toString("latin1"));
    const frames = [...election.frames.values()].flat().join("\n");
    expect(keys.length).toBe(200);
    expect(standingIn(`${bytes}\n${frames}`, [...keys, ...asBytes, ...election.nonces])).toEqual([]);
    expect(standingIn(`x${keys[7]}y`, keys)).toEqual([keys[7]]);
    expect(bytes).not.toContain('"choice":');
    expect(frames).not.toContain('"choice":');
  });
});

describe("the guessers find out where something leaks", () => {
  const expected = (deviations: number) => expect.toSatisfy((found: number) => found > deviations);

  it("a ballot that is not sealed", async () => {
    const open = await hold(40, "open");
    folders.push(open.folder);
    expect(guessOn(open)).toMatchObject({ guesser: "what stands there to be read", deviations: expected(CHANCE) });
  });

  it("a key that is kept", () => {
    const leaked = leaking((_, database) => {
      const insert = database.prepare("INSERT INTO sealing_keys SELECT id, 'votes', ?, ? FROM channels LIMIT 1");
      for (const [proposal, key] of election.keys) insert.run(proposal, key);
    });
    expect(guessOn(leaked)).toMatchObject({
      guesser: expect.stringContaining("keys that are left"),
      deviations: expected(CHANCE),
    });
  });

  it("a key that was destroyed, and still stands in a file", () => {
    const leaked = leaking((folder) => {
      for (const [id, key] of election.keys) appendFileSync(join(folder, "left-over"), `\0votes${id}${key}\0`);
    });
    expect(guessOn(leaked)).toMatchObject({
      guesser: expect.stringContaining("keys that are left"),
      deviations: expected(CHANCE),
    });
  });

  it("a digest with the input", () => {
    const leaked = leaking((_, database) => {
      const leak = database.prepare(`UPDATE outcomes SET digest = ? WHERE "offset" IN (?, ?)
        AND producer = (SELECT id FROM producers WHERE channel = ? AND owner LIKE ?)`);
      for (const { channel, offset, author, choice, proposal } of castsIn(database)) {
        const digest = bodyDigest("votes.cast", 1, JSON.stringify({ proposal, choice }));
        leak.run(digest, offset, offset + 1, channel, `%${author}%`);
      }
    });
    expect(guessOn(leaked)).toMatchObject({ guesser: "digests of both options", deviations: expected(CHANCE) });
  });

  it.each([
    [
      "sealed texts as long as what they say",
      (text: string, choice: number) => text.slice(0, choice === 1 ? -4 : undefined),
    ],
    ["one bit of them", (text: string, choice: number) => (choice === 1 ? "B" : "A") + text.slice(1)],
  ])("%s", (_, changed) => {
    const leaked = leaking((_, database) => {
      const update = database.prepare(`UPDATE message_log SET data = ? WHERE channel = ? AND "offset" = ?`);
      for (const { channel, offset, choice, cast } of castsIn(database)) {
        update.run(JSON.stringify({ ...cast, sealed: changed(cast.sealed, choice) }), channel, offset);
      }
    });
    expect(guessOn(leaked).deviations).toBeGreaterThan(CHANCE);
  });
});
