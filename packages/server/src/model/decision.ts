import type { AnyModel, Context, Made, Reason, UNPREDICTABLE } from "@tandem/model";
import { evolve, Rejection } from "@tandem/model";
import type { Limits } from "@tandem/protocol";
import { chainTag, decidedId, errorOf, eventId } from "@tandem/protocol";
import type { Logger } from "@tandem/runtime";
import { faultOf } from "../channel/json-text.ts";
import type { ModelAppend, NewEvent, Producer, RaisedFence, Refusal } from "../log/log.ts";
import type { Instance } from "./instance.ts";
import { DecisionSealing } from "./sealing.ts";
import type { Vault } from "./vault.ts";

/** Most events that one command may make. */
const EVENTS = 1_024;

/** What a model is asked: a command with its input, checked already, or that its deadline has passed. */
export type Question =
  | {
      readonly kind: "command";
      readonly command: string;
      readonly input: unknown;
      readonly user: string | undefined;
      readonly admin: boolean;
      readonly nonce: string;
    }
  /** The deadline that was found, in milliseconds since 1970: of another one nothing is known. */
  | { readonly kind: "deadline"; readonly at: number };

/** A model as the next of several questions finds it, all of them asked before the log has answered any. */
export interface Speculation {
  readonly state: object;
  readonly tag: string;
  readonly keys: ReadonlyMap<string, string>;
}

export interface DecisionPorts {
  readonly limits: Pick<Limits, "eventBytes" | "depth">;
  readonly vault: Vault;
  readonly logger: Logger;
}

/** When and as what a question is decided. */
export interface Moment {
  /** The time that the events will have. */
  readonly time: number;
  /** See `ModelAppend.decision`. */
  readonly decision: string;
}

/** What became of a question: events (or none) to append under `model`, or a final refusal. */
export type Decided =
  | {
      readonly kind: "append";
      readonly events: readonly NewEvent[];
      readonly model: ModelAppend;
      readonly next: Speculation;
    }
  | {
      readonly kind: "refuse";
      readonly refusal: Refusal;
      /** On what history: on another one it may not be refused. */
      readonly model: ModelAppend;
    };

/** The ids that a command's decision may give to what it makes. */
function idsOf(user: string | undefined, nonce: string): (index?: number) => string {
  return (index = 0) => eventId(`${user ?? ""}/${nonce}`, 0, index);
}

/**
 * Asks a model, and works out what is to be stored with its answer: pure but for the vault's keys. Events are taken as they will be
 * read again, so that what comes of them is the same now and ever after.
 */
export function decide(
  instance: Instance,
  before: Speculation,
  question: Question,
  producer: Producer,
  { time, decision }: Moment,
  ports: DecisionPorts,
): Decided {
  const { model, name } = instance;
  const refuse = (code: Refusal["code"], reason?: Reason): Decided => {
    const { message } = errorOf(code);
    const refusal = reason ? { code, message, reason } : { code, message };
    return { kind: "refuse", refusal, model: { name, expect: before.tag, decision, deadline: undefined } };
  };
  const sealing = new DecisionSealing(before.keys, ports.vault);
  const author = question.kind === "command" ? question.user : undefined;
  const nonce = question.kind === "command" ? question.nonce : `${producer.id}/${producer.seq}`;
  const context: Context = {
    user: author,
    admin: question.kind === "deadline" || question.admin,
    time,
    id: idsOf(author, nonce),
    sealing,
  };
  let made: readonly Made<Record<string, unknown>>[] | Rejection<Reason> | typeof UNPREDICTABLE;
  try {
    made = ask(model, before.state, question, context);
    if (made instanceof Rejection) return refuse("rejected", made.reason);
    if (!Array.isArray(made)) throw new TypeError("decide answers a list of events, or a rejection");
  } catch (error) {
    const what = question.kind === "command" ? question.command : "onDeadline";
    ports.logger.error({ error, channel: instance.channel.key, model: name, what }, "a model's decision failed");
    return refuse("rejected", { code: "failed" });
  }
  if (made.length > EVENTS) return refuse("event-too-large");
  const events: NewEvent[] = [];
  const fences: RaisedFence[] = [];
  let { state, tag } = before;
  for (const { type, data } of made) {
    const text = JSON.stringify(data) ?? "null";
    const fault = Buffer.byteLength(text) > ports.limits.eventBytes ? { code: "event-too-large" as const } : undefined;
    const wrong = fault ?? faultOf(text, ports.limits.depth);
    if (wrong) return refuse(wrong.code);
    const id = decidedId(eventId(producer.id, producer.seq, events.length), decision);
    try {
      const read = JSON.parse(text) as unknown;
      state = evolve(model, state, { type, version: model.version, data: read, info: { id, author, time } });
      const fence = model.fence({ type, data: read });
      if (fence) fences.push({ ...fence, name: `${name}/${fence.name}` });
    } catch (error) {
      ports.logger.error({ error, channel: instance.channel.key, model: name, type }, "a model's own event failed");
      return refuse("rejected", { code: "failed" });
    }
    tag = chainTag(tag, id);
    events.push({ type: `${name}.${type}`, version: model.version, data: text, author, trace: undefined });
  }
  let deadline: number | undefined;
  try {
    deadline = deadlineOf(model, state);
  } catch (error) {
    ports.logger.error({ error, channel: instance.channel.key, model: name }, "a model's deadline failed");
    return refuse("rejected", { code: "failed" });
  }
  return {
    kind: "append",
    events,
    model: {
      name,
      expect: before.tag,
      decision,
      deadline,
      fences,
      keys: sealing.changes,
    },
    next: { state, tag, keys: sealing.after() },
  };
}

function ask(model: AnyModel, state: object, question: Question, context: Context) {
  if (question.kind === "deadline") {
    const due = deadlineOf(model, state);
    return due === question.at && due <= context.time ? model.onDeadline(state, context) : [];
  }
  const command = Object.hasOwn(model.commands, question.command) ? model.commands[question.command] : undefined;
  return command ? command.decide(state, question.input, context) : new Rejection({ code: "failed" });
}

/** When a model's deadline passes: a whole number of milliseconds. */
export function deadlineOf(model: AnyModel, state: object): number | undefined {
  const at = model.deadline(state);
  return at === undefined || !Number.isFinite(at) ? undefined : Math.max(0, Math.ceil(at));
}
