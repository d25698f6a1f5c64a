import type { AnyModel, ModelEvent } from "@tandem/model";
import { isConflict, ModelStopped } from "@tandem/model";
import type { ChannelEvent, FenceToken, Position } from "@tandem/protocol";
import { eventId, TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { Cell, fullJitter } from "@tandem/runtime";
import { Alarm } from "../alarm.ts";
import type { Link } from "../connection/link.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { PublicationStatus } from "../outbox/publication.ts";
import { Entry } from "../outbox/publication.ts";
import type { SubscribeOptions, Subscription } from "../subscription/handler.ts";
import { Command } from "./command.ts";
import { Conflicts } from "./conflicts.ts";
import { Replica } from "./replica.ts";
import type { Sent } from "./sent.ts";
import { Sending, statusOf } from "./sent.ts";
import { StateLoad } from "./state-load.ts";
import type { UndoStack } from "./undo.ts";

/** Where nothing comes for so many milliseconds, and something that was answered is not there, the state is loaded anew: a restored backup has taken it back. */
const LATE_MS = 10_000;

/** A model's state on this client. A value is never changed: what is new is another object, which shares what stayed the same. */
export type ModelState<S = unknown> =
  /** `value`: what is there so far; when all is loaded anew, what was there before. */
  | { readonly kind: "loading"; readonly value: S | undefined; readonly pieces: number }
  /** `value`: with this client's own commands. `position`: where the confirmed state under them was when it changed last. */
  | { readonly kind: "ready"; readonly value: S; readonly position: Position }
  /** It goes no further: no right to read (`forbidden`), or a newer version made events that this one does not know (`model-stopped`). */
  | { readonly kind: "failed"; readonly error: TandemError };

/** Which model of which channel. */
export interface ModelPlace {
  readonly channel: string;
  /** The model's name in the channel. */
  readonly name: string;
  readonly model: AnyModel;
  readonly atLeast: Position | undefined;
}

/** What a model takes from the client. */
export interface ModelPorts {
  readonly runtime: Runtime;
  readonly outbox: Outbox;
  subscribe(options: SubscribeOptions): Subscription;
  /** The server's clock, as far as it is known. */
  serverTime(): number;
  report(error: unknown): void;
  /** It goes no further, or nobody uses it any more. */
  ended(model: LiveModel): void;
}

/** What an application sends, and through which of its handles. */
export interface Request {
  readonly command: string;
  readonly input: unknown;
  readonly fence?: FenceToken | undefined;
  /** Sends another command through the same handle. */
  again(command: string, input: unknown): Sent;
}

/**
 * A model of a channel as this client has it, shared by all who use it: loaded in pieces, kept up by the channel's events, with the
 * client's own commands on top.
 *
 * loading ── the last piece ─▸ ready ── the channel's history does not go on ─▸ loading; failed is the end
 * Without users it rests while a command is not settled, and loads anew with the next one.
 */
export class LiveModel {
  readonly place: ModelPlace;
  readonly state: Cell<ModelState>;
  readonly pending: Cell<number>;
  readonly conflicts: Conflicts;
  readonly #ports: ModelPorts;
  readonly #replica: Replica<object>;
  readonly #hold: Alarm;
  readonly #late: Alarm;
  /** What it is set for: a command that is to come after a position. */
  #awaited: Command | undefined;
  #after: Position | undefined;
  readonly #users = new Set<UndoStack>();
  /** Nobody uses it, and something is not settled: who uses it next is to be shown that. */
  #rests = false;
  #link: Link | undefined;
  #load: StateLoad | undefined;
  #subscription: Subscription | undefined;
  #resets = 0;
  #unsettled = 0;
  #changed = false;
  /** What the application is to be told with the next update, beside the state. */
  #news: (() => void)[] = [];

  constructor(place: ModelPlace, ports: ModelPorts) {
    const { report } = ports;
    this.place = place;
    this.#ports = ports;
    this.#replica = new Replica(place.model);
    this.#hold = new Alarm(ports.runtime);
    this.#late = new Alarm(ports.runtime);
    this.state = new Cell<ModelState>({ kind: "loading", value: undefined, pieces: 0 }, report);
    this.pending = new Cell(0, report);
    this.conflicts = new Conflicts(report);
    this.#begin();
  }

  use(undo: UndoStack): void {
    this.#users.add(undo);
    if (!this.#rests) return;
    this.#rests = false;
    this.#anew();
    this.#begin();
  }

  leave(undo: UndoStack): void {
    if (!this.#users.delete(undo) || this.#users.size > 0) return;
    this.#rests = this.#unsettled > 0 && this.state.get().kind !== "failed";
    if (this.#rests) this.#stop();
    else this.#end();
  }

  send({ command: name, input, fence, again }: Request): { readonly command: Command; readonly sent: Sent } {
    const { runtime, outbox, report, serverTime } = this.#ports;
    const { channel, name: model, model: definition } = this.place;
    const { version } = definition;
    const nonce = runtime.randomId();
    const write = (data: unknown) =>
      ({ type: "command", model, command: name, version, input: data, nonce, fence }) as const;
    const entry = new Entry(name, input, write, report);
    const said = { name, input: entry.body && JSON.parse(entry.body), nonce, time: serverTime() };
    const command = new Command(definition, said, (index) =>
      entry.seq === 0 ? undefined : eventId(entry.producer, entry.seq, index),
    );
    const sent = new Sending(report);
    this.#unsettled++;
    this.#replica.push(command);
    entry.status.subscribe(() => {
      const status = entry.status.get();
      this.#became(command, status);
      this.#news.push(() => sent.become(statusOf(status)));
      const reason = status.kind === "rejected" && status.error.code === "rejected" && status.error.reason;
      if (reason && isConflict(reason)) this.#news.push(() => this.conflicts.add(reason, again));
    });
    outbox.put(channel, entry);
    this.#changed = true;
    return { command, sent };
  }

  attach(link: Link): void {
    this.#link = link;
    this.#load?.attach(link);
    this.#watch();
  }

  detach(): void {
    this.#link = undefined;
    this.#load?.detach();
    this.#watch();
  }

  /** All of a frame has come: tells the application at once what has changed. */
  frameEnd(): void {
    const at = this.#subscription?.position;
    if (at && at !== this.#replica.position) {
      this.#replica.reach(at);
      this.#changed = true;
    }
    this.update();
  }

  update(): void {
    if (!this.#changed) return;
    this.#changed = false;
    this.#watch();
    // Whoever hears of the state is to know that it shows what is not settled yet: more are told before it, fewer after it.
    this.pending.set(Math.max(this.pending.get(), this.#unsettled));
    const { predicted, position } = this.#replica;
    const before = this.state.get();
    const isShown = before.kind !== "failed" && before.value === predicted;
    if (this.#subscription && predicted && position && !(isShown && before.kind === "ready")) {
      this.state.set({ kind: "ready", value: predicted, position });
    } else if (before.kind === "loading" && before.value && predicted && !isShown) {
      this.state.set({ ...before, value: predicted });
    }
    this.pending.set(this.#unsettled);
    for (const undo of this.#users) undo.update();
    for (const tell of this.#news.splice(0)) tell();
  }

  /** It goes no further. */
  fail(error: TandemError): void {
    this.#news.push(() => this.state.set({ kind: "failed", error }));
    this.#end();
    this.#touch();
  }

  #end(): void {
    this.#stop();
    this.#ports.ended(this);
  }

  /** It is not kept up any longer. */
  #stop(): void {
    this.#hold.cancel();
    this.#load?.stop();
    this.#load = undefined;
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
    this.#watch();
  }

  #anew(): void {
    this.state.set({ kind: "loading", value: this.#replica.predicted, pieces: 0 });
  }

  #begin(): void {
    const { runtime, outbox } = this.#ports;
    const load = new StateLoad(runtime, this.place, outbox.written, {
      asked: () => this.#replica.ask(),
      placed: () => this.#replica.await(),
      came: (value, pieces) => {
        this.state.set({ kind: "loading", value: this.#replica.predicted ?? value, pieces });
      },
      done: (state, position) => this.#loaded(state, position),
      failed: (error) => this.fail(error),
    });
    this.#load = load;
    if (this.#link) load.attach(this.#link);
  }

  #loaded(state: object, position: Position): void {
    this.#load = undefined;
    if (!this.#link) return;
    this.#replica.load(this.#link.welcome.user, state, position);
    this.#subscription = this.#ports.subscribe({
      from: position,
      onEvents: (events) => this.#take(events),
      onReset: () => this.#reset(),
      onError: (error) => this.fail(error),
      onState: (state) => {
        if (state === "live") this.#resets = 0;
      },
    });
    this.#touch();
  }

  #take(events: readonly ChannelEvent[]): void {
    const prefix = `${this.place.name}.`;
    const own = events.filter(({ type }) => type.startsWith(prefix));
    if (own.length === 0) return;
    try {
      this.#replica.take(own.map((event) => modelEvent(event, prefix.length)));
    } catch (error) {
      const message = error instanceof Error ? error.message : "The model failed.";
      if (!(error instanceof ModelStopped)) this.#ports.report(error);
      return this.fail(new TandemError("model-stopped", message, { cause: error }));
    }
    this.#touch();
  }

  /** The history does not go on from where the state is: all of it is loaded anew. */
  #reset(): void {
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
    this.#watch();
    this.#anew();
    const wait = this.#resets === 0 ? 0 : fullJitter(this.#resets - 1, this.#ports.runtime.random());
    this.#resets++;
    this.#hold.set(wait, () => this.#begin());
  }

  #became(command: Command, status: PublicationStatus): void {
    this.#touch();
    if (status.kind === "queued" || status.kind === "sent") return;
    this.#unsettled--;
    if (status.kind === "durable") this.#replica.answered(command, status.position);
    else this.#replica.refused(command);
    if (this.#rests && this.#unsettled === 0) this.#end();
  }

  /** Looks for what was answered and does not come. */
  #watch(): void {
    const { position } = this.#replica;
    const awaited = this.#link && this.#subscription ? this.#replica.awaited : undefined;
    if (awaited === this.#awaited && position === this.#after) return;
    this.#awaited = awaited;
    this.#after = position;
    if (awaited) this.#late.set(LATE_MS, () => this.#reset());
    else this.#late.cancel();
  }

  /** The application is told at the end of the frame; of what no frame brought, at the end of the turn. */
  #touch(): void {
    if (!this.#changed) this.#ports.runtime.defer(() => this.update());
    this.#changed = true;
  }
}

/** An event of the model as it stands in the channel. */
export function modelEvent(event: ChannelEvent, prefix: number): ModelEvent {
  const { type, version = 1, data, id, offset, author, time } = event;
  return { type: type.slice(prefix), version, data, offset, info: { id, author, time } };
}
