import * as v from "valibot";
import type { Context } from "../decision.ts";
import { reasons, reject } from "../decision.ts";
import type { Telling } from "../errand.ts";
import { defineModel } from "../model.ts";
import { Table } from "../table.ts";

/** Letters of one chunk. */
export const CHUNK_LENGTH = 4_096;

/** The reason for which a stream is aborted whose writer was not heard of any more. */
const LOST = "lost";

/** Longest time that a stream stays after its end, in milliseconds. */
const KEEP_MOST = 86_400_000;

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
  /** The writer was not heard of any more: what it came to is being told to the parent. Nothing is added any more; soon it is `aborted`. */
  | { readonly kind: "lost"; readonly at: number }
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
  /** Where its outcome is told; `once`: under which producer. Shown to all who read the stream. */
  readonly parent: Told | null;
  /** Milliseconds after its end when its channel goes; `null`: it stays. */
  readonly keep: number | null;
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
  opened: {
    readonly writer: string;
    readonly lease: number;
    readonly parent?: Told | undefined;
    readonly keep?: number | undefined;
  };
  appended: { readonly at: number; readonly text: string };
  renewed: Record<never, never>;
  stopping: { readonly reason?: string | undefined };
  finished: Record<never, never>;
  aborted: { readonly reason: string };
  lapsed: Record<never, never>;
  expired: Record<never, never>;
};

const Writer = v.pipe(v.string(), v.minLength(1), v.maxLength(64));
const Name = v.pipe(v.string(), v.minLength(1), v.maxLength(200));

/** Bytes of JSON that a parent may take. */
const PARENT_BYTES = 8_192;

const encoder = new TextEncoder();
const Fields = v.optional(v.record(v.string(), v.unknown()));
const to = { once: Name, channel: Name, user: v.optional(Name) };

const ParentSchema = v.pipe(
  v.union([
    v.strictObject({ ...to, event: Name, data: Fields }),
    v.strictObject({ ...to, model: Name, command: Name, input: Fields }),
  ]),
  v.check((parent) => encoder.encode(JSON.stringify(parent)).length <= PARENT_BYTES, `${PARENT_BYTES} bytes at most`),
);

/**
 * Where a stream's outcome is told, as one event or one command: `data` or `input`, with the whole `text`, and with `aborted` (the reason) where it is not
 * whole. 8 KiB at most. `user`: whom readers are shown as its author, and in whose name it is asked. Default: the application itself.
 */
export type StreamParent =
  | { readonly channel: string; readonly user?: string | undefined; readonly event: string; readonly data?: Fields }
  | {
      readonly channel: string;
      readonly user?: string | undefined;
      readonly model: string;
      readonly command: string;
      readonly input?: Fields;
    };

type Fields = Readonly<Record<string, unknown>> | undefined;

/** `once`: the producer under which it is told, whoever tells it. */
type Told = StreamParent & { readonly once: string };

const WriterSchema = v.strictObject({ writer: Writer });

/**
 * A text that is written piece by piece while many read it: one writer, one text, in a channel of its own. Whoever comes late has the text so far, and goes on at
 * any chunk. To ask for its end (`stop`) is a command; who just goes away stops nothing. A writer that dies leaves it `aborted`.
 *
 * Its outcome belongs in another channel, as one event; then this one goes as a whole. That is done also where the writer dies: see `Application.stream` of the server.
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
      parent: null,
      keep: null,
      chunks: Table.empty(),
    }),
    reasons: reasons<StreamReason>(),
    events: {
      opened: (state, data: StreamEvents["opened"], { author, time }): StreamState => {
        const { writer: id, lease: ms, parent = null, keep = null } = data;
        const user = author === undefined ? {} : { user: author };
        return { ...state, parent, keep, status: { kind: "open", writer: { id, ...user, ms, until: time + ms } } };
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
      lapsed: (state, _: StreamEvents["lapsed"], { time }): StreamState => ({
        ...state,
        status: { kind: "lost", at: time },
      }),
      expired: (state, _: StreamEvents["expired"]): StreamState => ({ ...state, keep: null }),
    },
    commands: {
      /** Begins it. `writer`: the writer's own id. Only the application itself has its outcome told to a parent, under the producer `once`, and its channel removed after a while. */
      open: {
        input: v.strictObject({
          writer: Writer,
          lease: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
          parent: v.optional(ParentSchema),
          keep: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(KEEP_MOST))),
        }),
        right,
        decide: ({ status }, { writer, lease = usual, ...told }, { user }) => {
          if (status.kind !== "unopened") return reject("opened");
          if (user !== undefined && (told.parent !== undefined || told.keep !== undefined)) return reject("not-yours");
          const ms = Math.min(Math.max(lease, LEASE.least), LEASE.most);
          return [{ type: "opened", data: { writer, lease: ms, ...told } }];
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
    deadline: ({ status, keep }) => {
      switch (status.kind) {
        case "unopened":
          return undefined;
        case "open":
          return status.writer.until;
        case "lost":
          return status.at + 1;
        case "finished":
        case "aborted":
          return keep === null ? undefined : status.at + keep;
      }
    },
    onDeadline: ({ status, parent }) => {
      switch (status.kind) {
        case "unopened":
          return [];
        // First nothing more is taken: what the parent is told is all there ever is.
        case "open":
          return [parent ? { type: "lapsed", data: {} } : { type: "aborted", data: { reason: LOST } }];
        case "lost":
          return [{ type: "aborted", data: { reason: LOST } }];
        case "finished":
        case "aborted":
          return [{ type: "expired", data: {} }];
      }
    },
    errand: (state) => {
      const { status, parent } = state;
      if (status.kind === "lost")
        return parent ? { kind: "tell", once: parent.once, to: tellingOf(parent, textOf(state), LOST) } : undefined;
      return status.kind === "finished" || status.kind === "aborted" ? { kind: "remove" } : undefined;
    },
  });
}

/** What the parent is told of a stream's outcome. @param aborted why the text is not whole */
export function tellingOf(parent: StreamParent, text: string, aborted?: string): Telling {
  const { channel, user } = parent;
  const outcome = { text, ...(aborted === undefined ? {} : { aborted }) };
  return "event" in parent
    ? { channel, user, event: parent.event, data: { ...parent.data, ...outcome } }
    : { channel, user, model: parent.model, command: parent.command, input: { ...parent.input, ...outcome } };
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
