import type { Position } from "@tandem/protocol";
import { bodyDigest, mintProducer } from "@tandem/protocol";
import { expect } from "vitest";
import type { Append, AppendResult, Log, LogEvent, NewEvent, ReadBounds } from "../log.ts";

/** The nodes' clock in the contract, in milliseconds. */
export const NOW = 1_750_000_000_000;
export const DAY = 86_400_000;
export const ALL: ReadBounds = { events: 1_000_000, bytes: 1_000_000_000 };

/** A producer's id that is told from others by its letter. */
export function producerId(letter: string, minted = NOW): string {
  return mintProducer(minted, letter.repeat(22));
}

export interface AttemptOptions extends Partial<Omit<Append, "producer" | "events">> {
  readonly producer?: string;
  readonly user?: string;
  readonly seq?: number;
  /** The payloads; one event each, maybe none. Default: one event. */
  readonly data?: readonly string[];
}

/** An attempt with everything filled in that the test does not say. */
export function attempt(options: AttemptOptions = {}): Append {
  const { producer = producerId("a"), user = "ann", seq = 1, data = [`"${seq}"`], ...rest } = options;
  const events = data.map(
    (text): NewEvent => ({ type: "said", version: 1, data: text, author: user, trace: undefined }),
  );
  return {
    channel: "acme/room:1",
    producer: { id: producer, user, seq, digest: bodyDigest("said", 1, data.join()) },
    events: rest.refusal ? [] : events,
    now: NOW,
    birth: "first-epoch",
    ...rest,
  };
}

/** The attempts `from … to` of one producer, one event each. */
export function attempts(from: number, to: number, options: AttemptOptions = {}): Append[] {
  return Array.from({ length: to - from + 1 }, (_, index) => attempt({ ...options, seq: from + index }));
}

export async function appendOne(log: Log, options: AttemptOptions = {}): Promise<AppendResult> {
  const [result] = await log.append([attempt(options)]);
  if (!result) throw new Error("no result");
  return result;
}

/** The position after what was committed. */
export function positionAfter({ epoch, offset, tags, tagBefore }: AppendResult & { kind: "committed" }): Position {
  return { epoch, offset: offset + tags.length - 1, tag: tags.at(-1) ?? tagBefore };
}

/** Appends that must be stored. @returns the position after the last */
export async function stored(log: Log, batch: readonly Append[]): Promise<Position> {
  let position: Position | undefined;
  for (const result of await log.append(batch)) {
    if (result.kind !== "committed") throw new Error(`not committed but ${JSON.stringify(result)}`);
    position = positionAfter(result);
  }
  if (!position) throw new Error("an empty batch");
  return position;
}

/** All events that are kept of a channel. */
export async function eventsOf(log: Log, channel = "acme/room:1"): Promise<readonly LogEvent[]> {
  const [head] = await log.heads([channel]);
  const result = await log.read(channel, (head?.first ?? 1) - 1, ALL);
  expect(result.kind).toBe("run");
  return result.kind === "run" ? result.events : [];
}

export const offsetsOf = (events: readonly LogEvent[]): number[] => events.map((event) => event.offset);
