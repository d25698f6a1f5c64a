import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Codec, CodecName, Encoded } from "@tandem/protocol";
import { eventId, jsonCodec } from "@tandem/protocol";
import { msgpackCodec } from "@tandem/protocol/msgpack";

export const CODECS: Readonly<Record<CodecName, Codec>> = { json: jsonCodec, msgpack: msgpackCodec };

/** Stands for a token in the stored corpus: real ones end. */
export const TOKEN = "{token}";

/** Stands for the id of what a command made: it comes from who said it and from its nonce, which are others in every run. */
export const MADE = "{made}";

/** The id of what a command of this user and nonce makes. */
export function idOf(user: string, nonce: string): string {
  return eventId(`${user}/${nonce}`, 0, 0);
}

/** A message as it was recorded. */
export type Message = { readonly type: string; readonly [field: string]: unknown };

/** Frames that real clients sent: texts as they are, bytes in base64. */
type Stored = Readonly<Record<CodecName, readonly string[]>>;

const FILE = fileURLToPath(new URL("corpus.json", import.meta.url));

/** The messages of each recorded frame, by codec. */
export type Corpus = Readonly<Record<CodecName, readonly (readonly Message[])[]>>;

export function loadCorpus(): Corpus {
  const stored = JSON.parse(readFileSync(FILE, "utf8")) as Stored;
  const read = (codec: Codec, frames: readonly string[]) =>
    frames.map((frame) => codec.decode(codec.name === "json" ? frame : Buffer.from(frame, "base64")) as Message[]);
  return { json: read(jsonCodec, stored.json), msgpack: read(msgpackCodec, stored.msgpack) };
}

/** Frames as they were taken: who says them is known by the codec and this name. */
export interface Taken {
  readonly codec: Codec;
  readonly frame: Encoded;
  readonly user: string;
}

/** Stores frames, each kind of message mix once per codec, without their tokens and the ids that were made. @returns how many */
export function storeCorpus(frames: readonly Taken[]): number {
  const stored: Record<CodecName, string[]> = { json: [], msgpack: [] };
  const kinds = new Set<string>();
  const made = new Set<string>();
  for (const { codec, frame, user } of frames) {
    const messages = (codec.decode(frame) as Message[]).map((message) => {
      if (message.type === "command") made.add(idOf(user, String(message.nonce)));
      const known = withoutIds(message, made);
      return "token" in known ? { ...known, token: TOKEN } : known;
    });
    const kind = `${codec.name} ${messages.map(shapeOf).join(" ")}`;
    if (kinds.has(kind) || messages.length > 16) continue;
    kinds.add(kind);
    const again = codec.join(messages.map((message) => codec.encode(message)));
    stored[codec.name].push(typeof again === "string" ? again : Buffer.from(again).toString("base64"));
  }
  writeFileSync(FILE, `${JSON.stringify(stored, undefined, 2)}\n`);
  return kinds.size;
}

/** The ids of what was made stand only as whole texts, or behind the name of a job's lock. */
function withoutIds(message: Message, made: ReadonlySet<string>): Message {
  const replace = (value: unknown): unknown => {
    if (typeof value === "string") {
      const id = value.slice(value.lastIndexOf("/") + 1);
      return made.has(id) ? `${value.slice(0, value.length - id.length)}${MADE}` : value;
    }
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, replace(inner)]));
  };
  return replace(message) as Message;
}

/** A message's type and fields: two of one shape teach a fuzzer the same. */
function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.length > 0 ? shapeOf(value[0]) : ""}]`;
  if (typeof value !== "object" || value === null) return typeof value;
  const fields = Object.entries(value).map(([name, inner]) => `${name}:${name === "type" ? inner : shapeOf(inner)}`);
  return `{${fields.join(",")}}`;
}
