import type { FenceToken } from "@tandem/protocol";
import type { Append, AppendResult, Head, LogEvent, ModelAppend, NewEvent, Outcome, Refusal } from "../log.ts";

/**
 * What goes between the threads: flat lists of plain values. Cloning a list of texts and numbers costs a fraction of
 * cloning an object per append, and it is the main thread that pays for it.
 */
export type Value = string | number | null | undefined;

/** Values of an append before its events, and of each event. */
const APPEND = 10;
const EVENT = 5;

/** What an append has to do with models, as JSON; most have nothing. */
interface OfModels {
  readonly model?: ModelAppend | undefined;
  readonly fence?: FenceToken | undefined;
}

export function writeAppend(into: Value[], append: Append): void {
  const { channel, producer, events, refusal, model, fence, now, birth } = append;
  const { id, user, seq, digest } = producer;
  const refused = refusal && JSON.stringify(refusal);
  const ofModels = model || fence ? JSON.stringify({ model, fence } satisfies OfModels) : undefined;
  into.push(channel, id, user, seq, digest, now, birth, ofModels, refused, events.length);
  for (const { type, version, data, author, trace } of events) into.push(type, version, data, author, trace);
}

const NO_MODELS: OfModels = {};

/** Reads the append at `at`. @returns it, and where the next one begins */
export function readAppend(from: readonly Value[], at: number): [append: Append, next: number] {
  const [channel, id, user, seq, digest, now, birth, ofModels, refused, length] = from.slice(at, at + APPEND);
  const events: NewEvent[] = [];
  let next = at + APPEND;
  for (let left = length as number; left > 0; left--, next += EVENT) {
    events.push({
      type: from[next] as string,
      version: from[next + 1] as number,
      data: from[next + 2] as string,
      author: from[next + 3] as string | undefined,
      trace: from[next + 4] as string | undefined,
    });
  }
  const { model, fence } = typeof ofModels === "string" ? (JSON.parse(ofModels) as OfModels) : NO_MODELS;
  const append: Append = {
    channel: channel as string,
    producer: { id: id as string, user: user as string, seq: seq as number, digest: digest as string },
    events,
    refusal: typeof refused === "string" ? (JSON.parse(refused) as Refusal) : undefined,
    model,
    fence,
    now: now as number,
    birth: birth as string,
  };
  return [append, next];
}

export function writeResult(into: Value[], result: AppendResult): void {
  switch (result.kind) {
    case "committed": {
      const { kind, epoch, offset, time, tagBefore, tags } = result;
      into.push(kind, epoch, offset, time, tagBefore, tags.length, ...tags);
      return;
    }
    case "refused":
      into.push(result.kind, JSON.stringify(result.refusal));
      return;
    case "settled":
      into.push(result.kind, JSON.stringify(result.outcome));
      return;
    case "out-of-sequence":
      into.push(result.kind, result.expected);
      return;
    case "conflict":
      into.push(result.kind, result.tag);
      return;
    default:
      into.push(result.kind);
  }
}

/** Reads results one after the other. */
export class ResultReader {
  readonly #values: readonly Value[];
  #at = 0;

  constructor(values: readonly Value[]) {
    this.#values = values;
  }

  next(): AppendResult {
    const kind = this.#take() as AppendResult["kind"];
    switch (kind) {
      case "committed": {
        const epoch = this.#take() as string;
        const offset = this.#take() as number;
        const time = this.#take() as number;
        const tagBefore = this.#take() as string;
        const length = this.#take() as number;
        const tags = this.#values.slice(this.#at, this.#at + length) as string[];
        this.#at += length;
        return { kind, epoch, offset, time, tags, tagBefore };
      }
      case "refused":
        return { kind, refusal: JSON.parse(this.#take() as string) as Refusal };
      case "settled":
        return { kind, outcome: JSON.parse(this.#take() as string) as Outcome };
      case "out-of-sequence":
        return { kind, expected: this.#take() as number };
      case "conflict":
        return { kind, tag: this.#take() as string };
      case "body-mismatch":
      case "unknown":
      case "producer-quota":
        return { kind };
    }
  }

  #take(): Value {
    return this.#values[this.#at++];
  }
}

/** A head's columns, in the order of `Head`. */
export const HEAD_COLUMNS = `key, epoch, "offset", tag, first, time, count, bytes, archived, revision`;
/** An event's columns. */
export const EVENT_COLUMNS = `"offset", run, id, tag, time, type, version, author, trace, data`;
const EVENT_VALUES = 10;

export function readHead(row: readonly Value[]): Head {
  const [channel, epoch, offset, tag, first, time, count, bytes, archived, revision] = row;
  return {
    channel: channel as string,
    epoch: epoch as string,
    offset: offset as number,
    tag: tag as string,
    first: first as number,
    time: time as number,
    count: count as number,
    bytes: bytes as number,
    archived: archived === 1,
    revision: revision as number,
  };
}

/** Makes events of their columns, one after the other in one list. */
export function readEvents(values: readonly Value[]): LogEvent[] {
  const events: LogEvent[] = [];
  for (let at = 0; at < values.length; at += EVENT_VALUES) {
    events.push({
      offset: values[at] as number,
      id: values[at + 2] as string,
      type: values[at + 5] as string,
      version: values[at + 6] as number,
      time: values[at + 4] as number,
      author: (values[at + 7] ?? undefined) as string | undefined,
      trace: (values[at + 8] ?? undefined) as string | undefined,
      data: (values[at + 9] ?? undefined) as string | undefined,
      tag: values[at + 3] as string,
      run: values[at + 1] as number,
    });
  }
  return events;
}
