import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { LOG_FILE } from "@tandem/server";
import type { Election } from "./election.ts";
import { keysIn } from "./election.ts";

/** What is left of one voter's part in a vote. */
export interface Trail {
  readonly proposal: string;
  readonly voter: string;
  /** Sizes, times, places, counts. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Whatever looks random, bit by bit. */
  readonly texts: Readonly<Record<string, Buffer>>;
  readonly sealed: readonly string[];
  readonly digests: readonly string[];
  /** A choice that stands there to be read. */
  readonly read: number | undefined;
}

/** All that anybody can have who was not that voter. */
export interface Evidence {
  /** By `{proposal}/{voter}`. */
  readonly trails: ReadonlyMap<string, Trail>;
  /** The published votes for each option, by proposal. */
  readonly tallies: ReadonlyMap<string, readonly number[]>;
  /** Keys in the table of keys, by proposal, and what stands beside a proposal's id in any file. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
  /** Stored pieces of states that were looked at. */
  readonly pieces: number;
  /** Every file of the data folder. */
  readonly bytes: string;
}

interface Row {
  readonly channel: number;
  /** Tenant and name of the channel. */
  readonly key: string;
  readonly offset: number;
  readonly run: number;
  readonly id: string;
  readonly tag: string;
  readonly time: number;
  readonly type: string;
  readonly author: string | null;
  readonly data: string;
}

interface OutcomeRow {
  readonly channel: number;
  readonly offset: number;
  readonly digest: string;
  readonly slot: number;
  readonly seq: number;
  readonly mark: number;
  readonly used: number;
  readonly refusal: string | null;
}

/** What clients other than the one who cast it were sent of a ballot. */
interface Seen {
  frameLetters: number;
  letters: number;
  place: number;
  copies: number;
}

type Cast = { readonly proposal: string; readonly sealed?: string; readonly choice?: number };

export function gather({ folder, frames }: Pick<Election, "folder" | "frames">): Evidence {
  const database = new DatabaseSync(join(folder, LOG_FILE), { readOnly: true });
  const rows = database
    .prepare("SELECT m.*, c.key FROM message_log m JOIN channels c ON c.id = m.channel")
    .all() as unknown as Row[];
  const outcomes = database
    .prepare(`SELECT p.channel, o."offset", o.digest, o.slot, o.seq, o.refusal, p.mark, p.used
      FROM outcomes o JOIN producers p ON p.id = o.producer`)
    .all() as unknown as OutcomeRow[];
  const pieces = database.prepare("SELECT data FROM snapshot_pieces").all() as { data: string }[];
  database.close();
  const answered = new Map(outcomes.map((row) => [`${row.channel}/${row.offset}`, row]));
  const seen = seenBy(frames);
  const shown = shownIn(pieces.map(({ data }) => data));
  const tallies = new Map<string, readonly number[]>();
  const trails = new Map<string, Trail>();
  const turns = new Map<string, number>();
  for (const row of rows) {
    const data = JSON.parse(row.data) as Cast & { result?: { tally: number[] } };
    if (row.type === "votes.closed" && data.result) tallies.set(data.proposal, data.result.tally);
    if (row.type !== "votes.cast" || row.author === null) continue;
    const key = `${data.proposal}/${row.author}`;
    const before = trails.get(key);
    const turn = (turns.get(data.proposal) ?? 0) + 1;
    turns.set(data.proposal, turn);
    // The last ballot is stored together with what closes the vote.
    const outcome = answered.get(`${row.channel}/${row.offset}`) ?? answered.get(`${row.channel}/${row.offset + 1}`);
    const told = seen.get(`${nameOf(row.key)} ${row.id}`);
    trails.set(key, {
      proposal: data.proposal,
      voter: row.author,
      numbers: {
        storedBytes: row.data.length,
        offset: row.offset,
        run: row.run,
        time: row.time,
        turn,
        times: (before?.numbers.times ?? 0) + 1,
        slot: outcome?.slot ?? 0,
        seq: outcome?.seq ?? 0,
        mark: outcome?.mark ?? 0,
        used: outcome?.used ?? 0,
        refused: outcome?.refusal ? 1 : 0,
        frameLetters: (told?.frameLetters ?? 0) / (told?.copies ?? 1),
        eventLetters: (told?.letters ?? 0) / (told?.copies ?? 1),
        placeInFrame: (told?.place ?? 0) / (told?.copies ?? 1),
        copies: told?.copies ?? 0,
      },
      texts: {
        id: Buffer.from(row.id, "base64url"),
        tag: Buffer.from(row.tag, "base64url"),
        digest: Buffer.from(outcome?.digest ?? "", "base64url"),
        sealed: Buffer.from(data.sealed ?? "", "base64url"),
      },
      sealed: [...(before?.sealed ?? []), data.sealed ?? ""],
      digests: [...(before?.digests ?? []), outcome?.digest ?? ""],
      read: data.choice ?? shown.get(key),
    });
  }
  const bytes = bytesIn(folder);
  return {
    trails,
    tallies,
    keys: keysBeside([...tallies.keys()], bytes, keysIn(folder)),
    pieces: pieces.length,
    bytes,
  };
}

function nameOf(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}

/** Every byte of a folder's files, a letter each. */
function bytesIn(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

/** What of the votes' ballots came to clients, other than the one who cast them, by channel and id of the event. */
function seenBy(frames: Election["frames"]): Map<string, Seen> {
  const seen = new Map<string, Seen>();
  for (const [user, texts] of frames) {
    for (const frame of texts) {
      for (const message of JSON.parse(frame) as {
        type: string;
        channel: string;
        events?: { id: string; type: string; author: string }[];
      }[]) {
        for (const [place, event] of (message.type === "events" ? (message.events ?? []) : []).entries()) {
          if (event.type !== "votes.cast" || event.author === user) continue;
          const sum = seen.get(`${message.channel} ${event.id}`) ?? {
            frameLetters: 0,
            letters: 0,
            place: 0,
            copies: 0,
          };
          sum.frameLetters += frame.length;
          sum.letters += JSON.stringify(event).length;
          sum.place += place;
          sum.copies++;
          seen.set(`${message.channel} ${event.id}`, sum);
        }
      }
    }
  }
  return seen;
}

/** Choices that stand in the pieces of stored states. */
function shownIn(pieces: readonly string[]): Map<string, number> {
  const shown = new Map<string, number>();
  for (const text of pieces) {
    const piece = JSON.parse(text) as { table?: string; entries?: [string, { choice?: number }][] };
    for (const [key, { choice }] of piece.table === "ballots" ? (piece.entries ?? []) : []) {
      if (typeof choice === "number") shown.set(key, choice);
    }
  }
  return shown;
}

/** Letters of a key. */
const KEY = 43;

function keysBeside(proposals: readonly string[], bytes: string, known: ReadonlyMap<string, string>): Evidence["keys"] {
  const keys = new Map(proposals.map((id) => [id, new Set<string>()]));
  for (const [id, key] of known) keys.get(id)?.add(key);
  for (const [id, found] of keys) {
    for (let at = bytes.indexOf(id); at >= 0; at = bytes.indexOf(id, at + 1)) {
      found.add(bytes.slice(at + id.length, at + id.length + KEY));
      found.add(bytes.slice(Math.max(0, at - KEY), at));
    }
  }
  return new Map([...keys].map(([id, found]) => [id, [...found].filter((key) => /^[\w-]{43}$/.test(key))]));
}
