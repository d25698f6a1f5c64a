import * as v from "valibot";
import type { Context } from "../decision.ts";
import { reasons, reject } from "../decision.ts";
import { defineModel } from "../model.ts";
import { Table } from "../table.ts";

/** Letters of one chunk. */
export const CHUNK_LENGTH = 4_096;

/** Bounds of a writer's lease, in milliseconds. */
const LEASE = { least: 1_000, most: 600_000 };

export interface StreamOptions {
  /** Most letters. Default 500,000. */
  readonly length?: number;
  /** Most chunks. Default 20,000. */
  readonly chunks?: number;
  /** Milliseconds after which the writer is thought lost when nothing is heard of it. Default 15 s. */
  readonly lease?: number;
  /** The right that it takes to write it, and to ask for its end. Default `write` each; a reader may not stop it then. */
  readonly rights?: { readonly write?: "write" | "admin" | "publish"; readonly stop?: "write" | "admin" | "read" };
}

/** `finished` and `aborted` are final. An abort's reason `lost`: the writer was not heard of any more. */
export type StreamStatus =
  | { readonly kind: "unopened" }
  | { readonly kind: "open"; readonly writer: StreamWriterLease }
  | { readonly kind: "finished"; readonly at: number }
  | { readonly kind: "aborted"; readonly at: number; readonly reason: string };

/** Who writes it, and until when if nothing is heard. */
interface StreamWriterLease {
  readonly id: string;
  /** Left out: the application itself. */
  readonly user?: string;
  readonly ms: number;
  readonly until: number;
}

export interface StreamState {
  readonly status: StreamStatus;
  /** How many chunks there are, and letters in all of them. */
  readonly count: number;
  readonly length: number;
  /** Somebody has asked for its end. */
  readonly stop: { readonly by?: string; readonly at: number; readonly reason?: string } | null;
  /** By their index from 0. */
  readonly chunks: Table<string>;
}

type StreamReason =
  | { readonly code: "opened" }
  | { readonly code: "not-open" }
  | { readonly code: "not-yours" }
  /** The next chunk is another: one was lost, or came twice. */
  | { readonly code: "out-of-place"; readonly next: number }
  | { readonly code: "too-long"; readonly most: number };

type StreamEvents = {
  opened: { readonly writer: string; readonly lease: number };
  appended: { readonly at: number; readonly text: string };
  renewed: Record<never, never>;
  stopping: { readonly reason?: string | undefined };
  finished: Record<never, never>;
  aborted: { readonly reason: string };
};

const Writer = v.pipe(v.string(), v.minLength(1), v.maxLength(64));
const WriterSchema = v.strictObject({ writer: Writer });

/**
 * A text that is written piece by piece while many read it: one writer, one text, in a channel of its own. Whoever comes late has the text so far, and goes on at
 * any chunk. To ask for its end (`stop`) is a command; who just goes away stops nothing. A writer that dies leaves it `aborted`.
 *
 * Its result belongs in another channel, as one event; then this one can go as a whole: see `Application.stream` of the server.
 *
 * @example
 * channel({ events: {}, models: { stream: stream({ rights: { stop: "read" } }) } })
 */
export function stream(options: StreamOptions = {}) {
  const { length: letters = 500_000, chunks: most = 20_000, lease: usual = 15_000, rights = {} } = options;
  const right = rights.write ?? "write";
  return defineModel({
    name: "stream",
    initial: (): StreamState => ({
      status: { kind: "unopened" },
      count: 0,
      length: 0,
      stop: null,
      chunks: Table.empty(),
    }),
    reasons: reasons<StreamReason>(),
    events: {
      opened: (state, { writer: id, lease: ms }: StreamEvents["opened"], { author, time }): StreamState => {
        const user = author === undefined ? {} : { user: author };
        return { ...state, status: { kind: "open", writer: { id, ...user, ms, until: time + ms } } };
      },
      appended: (state, { at, text }: StreamEvents["appended"], { time }): StreamState => ({
        ...alive(state, time),
        count: at + 1,
        length: state.length + text.length,
        chunks: state.chunks.set(String(at), text),
      }),
      renewed: (state, _: StreamEvents["renewed"], { time }): StreamState => alive(state, time),
      stopping: (state, { reason }: StreamEvents["stopping"], { author, time }): StreamState => ({
        ...state,
        stop: {
          ...(author === undefined ? {} : { by: author }),
          at: time,
          ...(reason === undefined ? {} : { reason }),
        },
      }),
      finished: (state, _: StreamEvents["finished"], { time }): StreamState => ({
        ...state,
        status: { kind: "finished", at: time },
      }),
      aborted: (state, { reason }: StreamEvents["aborted"], { time }): StreamState => ({
        ...state,
        status: { kind: "aborted", at: time, reason },
      }),
    },
    commands: {
      /** Begins it. `writer`: the writer's own id. */
      open: {
        input: v.strictObject({
          writer: Writer,
          lease: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
        }),
        right,
        decide: ({ status }, { writer, lease = usual }) => {
          if (status.kind !== "unopened") return reject("opened");
          const ms = Math.min(Math.max(lease, LEASE.least), LEASE.most);
          return [{ type: "opened", data: { writer, lease: ms } }];
        },
      },
      /** Adds a chunk, the `at`-th from 0. Lets the lease last on. */
      append: {
        input: v.strictObject({
          writer: Writer,
          at: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
          text: v.pipe(v.string(), v.minLength(1), v.maxLength(CHUNK_LENGTH)),
        }),
        right,
        decide: (state, { writer, ...chunk }, context) => {
          const refused = refusalOf(state, writer, context);
          if (refused) return refused;
          if (chunk.at !== state.count) return reject("out-of-place", { next: state.count });
          if (state.length + chunk.text.length > letters) return reject("too-long", { most: letters });
          if (state.count >= most) return reject("too-long", { most });
          return [{ type: "appended", data: chunk }];
        },
      },
      /** Nothing new, but there is more to come. */
      renew: {
        input: WriterSchema,
        right,
        decide: (state, { writer }, context) => refusalOf(state, writer, context) ?? [{ type: "renewed", data: {} }],
      },
      /** It is whole. */
      finish: {
        input: WriterSchema,
        right,
        decide: (state, { writer }, context) => refusalOf(state, writer, context) ?? [{ type: "finished", data: {} }],
      },
      /** It will not be whole. */
      abort: {
        input: v.strictObject({ writer: Writer, reason: v.pipe(v.string(), v.minLength(1), v.maxLength(500)) }),
        right,
        decide: (state, { writer, reason }, context) =>
          refusalOf(state, writer, context) ?? [{ type: "aborted", data: { reason } }],
      },
      /** Asks the writer to end it. */
      stop: {
        input: v.strictObject({ reason: v.optional(v.pipe(v.string(), v.maxLength(500))) }),
        right: rights.stop ?? "write",
        decide: ({ status, stop }, why) => {
          if (status.kind !== "open") return reject("not-open");
          return stop ? [] : [{ type: "stopping", data: why }];
        },
      },
    },
    deadline: ({ status }) => (status.kind === "open" ? status.writer.until : undefined),
    onDeadline: () => [{ type: "aborted", data: { reason: "lost" } }],
  });
}

/** The text so far, from a chunk on. @param from the index of the first chunk. Default 0 */
export function textOf({ chunks, count }: Pick<StreamState, "chunks" | "count">, from = 0): string {
  let text = "";
  for (let at = from; at < count; at++) text += chunks.get(String(at)) ?? "";
  return text;
}

function refusalOf({ status }: StreamState, writer: string, { user }: Context) {
  if (status.kind !== "open") return reject("not-open");
  return status.writer.id === writer && status.writer.user === user ? undefined : reject("not-yours");
}

function alive(state: StreamState, time: number): StreamState {
  const { status } = state;
  if (status.kind !== "open") return state;
  const { writer } = status;
  return { ...state, status: { ...status, writer: { ...writer, until: Math.max(writer.until, time + writer.ms) } } };
}
