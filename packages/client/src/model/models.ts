import type { Position } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { count, list, maybe, object, position, positive, text } from "../connection/inbound.ts";
import type { Check, Link } from "../connection/link.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Rider } from "../rider.ts";
import type { SubscribeOptions, Subscription } from "../subscription/handler.ts";
import type { ModelPlace } from "./live-model.ts";
import { LiveModel } from "./live-model.ts";
import { StateLoad } from "./state-load.ts";

/** Milliseconds without a further piece after which an older state is given up: the connection may be away for long. */
const PIECE_MS = 30_000;
/** Most older states that are loaded at a time. */
const TRAVELS = 16;

const head = object({ head: object({}), tables: list(text) });
const entry: Check = (value) => Array.isArray(value) && value.length === 2 && text(value[0]);
const entries = object({ table: text, entries: list(entry) });

const CHECKS: ReadonlyMap<string, Check> = new Map([
  [
    "piece",
    object({
      id: positive,
      channel: text,
      model: text,
      version: count,
      position,
      piece: (value) => head(value) || entries(value),
      next: maybe(text),
    }),
  ],
]);

/** What is loaded once, apart from the models in use. */
interface Travel {
  readonly load: StateLoad;
  settle(result: object | TandemError): void;
}

/** The models that this client uses, carried over from connection to connection. */
export class Models implements Rider {
  readonly checks = CHECKS;
  readonly #runtime: Runtime;
  readonly #outbox: Outbox;
  readonly #models = new Set<LiveModel>();
  readonly #travels = new Set<Travel>();
  #link: Link | undefined;
  /** Its clock goes on where it is gone. */
  #last: Link | undefined;
  #closed = false;

  constructor(runtime: Runtime, outbox: Outbox) {
    this.#runtime = runtime;
    this.#outbox = outbox;
  }

  /** The one copy of a model of a channel. */
  use(place: ModelPlace, subscribe: (options: SubscribeOptions) => Subscription): LiveModel {
    for (const known of this.#models) {
      const { channel, name, model } = known.place;
      if (channel === place.channel && name === place.name && model === place.model) return known;
    }
    const live = new LiveModel(place, {
      runtime: this.#runtime,
      outbox: this.#outbox,
      subscribe,
      serverTime: () => this.#last?.serverTime() ?? this.#runtime.now(),
      report: this.report,
      ended: (model) => this.#models.delete(model),
    });
    this.#models.add(live);
    if (this.#closed) live.fail(closed());
    else if (this.#link) live.attach(this.#link);
    return live;
  }

  /** A model's state at a position. @throws TandemError (by rejection) */
  stateAt(place: ModelPlace, at: Position): Promise<object> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closed());
      if (this.#travels.size >= TRAVELS) {
        return reject(new TandemError("too-many-requests", "Too many older states are waited for."));
      }
      const giveUp = () => travel.settle(new TandemError("disconnected", "There is no connection."));
      let timer = this.#runtime.timer(PIECE_MS, giveUp);
      const goesOn = () => {
        timer.cancel();
        timer = this.#runtime.timer(PIECE_MS, giveUp);
      };
      const travel: Travel = {
        load: new StateLoad(this.#runtime, { ...place, at }, this.#outbox.written, {
          asked: () => undefined,
          placed: goesOn,
          came: goesOn,
          done: (state) => travel.settle(state),
          failed: (error) => travel.settle(error),
        }),
        settle: (result) => {
          timer.cancel();
          travel.load.stop();
          this.#travels.delete(travel);
          if (result instanceof TandemError) reject(result);
          else resolve(result);
        },
      };
      this.#travels.add(travel);
      if (this.#link) travel.load.attach(this.#link);
    });
  }

  /** What a listener of the application throws is its own affair. */
  readonly report = (error: unknown): void => {
    this.#runtime.logger.error({ error }, "a listener of a model threw");
  };

  attach(link: Link): void {
    this.#link = this.#last = link;
    for (const model of this.#models) model.attach(link);
    for (const { load } of this.#travels) load.attach(link);
  }

  detach(): void {
    this.#link = undefined;
    for (const model of this.#models) model.detach();
    for (const { load } of this.#travels) load.detach();
  }

  frameEnd(): void {
    for (const model of this.#models) model.frameEnd();
  }

  close(): void {
    this.#closed = true;
    for (const { settle } of [...this.#travels]) settle(closed());
    for (const model of [...this.#models]) model.fail(closed());
  }
}

function closed(): TandemError {
  return new TandemError("closed", "The client was closed.");
}
