import type { ChannelEvent, Position, ServerMessage } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Runtime, Timer } from "@tandem/runtime";
import { fullJitter } from "@tandem/runtime";
import type { Link } from "../connection/link.ts";
import { ownRefusal, refusal } from "../connection/refusal.ts";
import type { HistoryPage } from "../event.ts";
import type { Written } from "../outbox/written.ts";

/** Milliseconds after which a page that cannot be had is given up: the connection may be away for long. */
const PAGE_MS = 30_000;
/** Most pages that are waited for at a time. */
const PAGES = 256;
/** Events of a page, where the application names no limit. */
const PAGE_EVENTS = 100;

export interface HistoryQuery {
  /** Events before this offset. Default: the newest. */
  readonly before?: number | undefined;
  /** Most events, default 100, at most the server's limit `historyPage`. */
  readonly limit?: number | undefined;
  /** A position that the answering node must have reached. Default: the newest durable publish of this client there. */
  readonly atLeast?: Position | undefined;
}

interface Asked {
  readonly channel: string;
  readonly query: HistoryQuery;
  readonly settle: (result: HistoryPage<ChannelEvent> | TandemError) => void;
  /** Why there is no page yet. */
  reason: TandemError;
  retry: Timer | undefined;
  tries: number;
}

/** Fetches pages of history; asks again after a lost connection and after a refusal that may pass. */
export class HistoryPages {
  readonly #runtime: Runtime;
  readonly #written: Written;
  readonly #asked = new Set<Asked>();
  #link: Link | undefined;
  #closed = false;

  constructor(runtime: Runtime, written: Written) {
    this.#runtime = runtime;
    this.#written = written;
  }

  fetch(channel: string, query: HistoryQuery): Promise<HistoryPage<ChannelEvent>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(ownRefusal("closed"));
      if (this.#asked.size >= PAGES) return reject(ownRefusal("too-many-requests"));
      const asked: Asked = {
        channel,
        query,
        reason: ownRefusal("disconnected"),
        retry: undefined,
        tries: 0,
        settle: (result) => {
          timer.cancel();
          asked.retry?.cancel();
          this.#asked.delete(asked);
          if (result instanceof TandemError) reject(result);
          else resolve(result);
        },
      };
      const timer = this.#runtime.timer(PAGE_MS, () => asked.settle(asked.reason));
      this.#asked.add(asked);
      this.#ask(asked);
    });
  }

  attach(link: Link): void {
    this.#link = link;
    for (const asked of this.#asked) this.#ask(asked);
  }

  detach(): void {
    this.#link = undefined;
    for (const { retry } of this.#asked) retry?.cancel();
  }

  close(): void {
    this.#closed = true;
    for (const { settle } of [...this.#asked]) settle(ownRefusal("closed"));
  }

  #ask(asked: Asked): void {
    const link = this.#link;
    if (!link) return;
    const { channel, query } = asked;
    const { before, limit = PAGE_EVENTS, atLeast = this.#written.get(channel) } = query;
    const most = Math.min(limit, link.limits.historyPage);
    link.ask({ type: "history", channel, before, limit: most, atLeast }, (answer) => this.#answered(asked, answer));
  }

  #answered(asked: Asked, answer: ServerMessage): void {
    if (!this.#asked.has(asked)) return;
    if (answer.type === "page") {
      const { events, next, epoch } = answer;
      asked.settle({ events, next, epoch });
    } else if (answer.type === "error") {
      if (answer.code === "not-yet") this.#written.refused(asked.channel);
      asked.reason = refusal(answer);
      if (!answer.retryable) return asked.settle(asked.reason);
      const wait = answer.retryAfter ?? fullJitter(asked.tries++, this.#runtime.random());
      asked.retry = this.#runtime.timer(wait, () => this.#ask(asked));
    }
  }
}
