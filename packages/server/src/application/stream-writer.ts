import { CHUNK_LENGTH } from "@tandem/model";
import type { Position } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Runtime, Timer } from "@tandem/runtime";
import type { Application } from "./application.ts";
import type { ApplicationModel } from "./application-model.ts";

/** Pieces are gathered so long, in milliseconds. */
const BATCH_MS = 20;

const LEASE_MS = 15_000;

/** How long a stream that is over can be read, in milliseconds: those who are behind come to its end. */
const KEEP_MS = 10_000;

/** Most letters of one stream that this process holds. */
const LENGTH = 1_000_000;

const NAME = "stream";

/** What a stream came to. */
export type StreamOutcome =
  | { readonly kind: "finished"; readonly text: string }
  /** It is not whole. */
  | { readonly kind: "aborted"; readonly text: string; readonly reason: string };

/** Where a stream's outcome is told, as one event or one command. */
export type StreamParent =
  | {
      readonly channel: string;
      readonly event: string;
      readonly data: (outcome: StreamOutcome) => unknown;
      /** Whom readers are shown as its author. Default: the application itself. */
      readonly user?: string;
    }
  | {
      readonly channel: string;
      readonly model: string;
      readonly command: string;
      readonly input: (outcome: StreamOutcome) => unknown;
      /** In whose name. Default: the application itself. */
      readonly user?: string;
    };

export interface StreamOptions {
  /** A channel that nothing was written to: `text:{random id}`. */
  readonly channel: string;
  readonly parent: StreamParent;
  /** Milliseconds for which pieces are gathered into one event. Default 20. */
  readonly batch?: number;
  /** Milliseconds after which the stream is aborted when its writer is lost. Default 15 s. */
  readonly lease?: number;
  /** Milliseconds for which the stream's channel stays once it is over. Default 10 s. */
  readonly keep?: number;
}

/**
 * Writes a stream. The whole text is told to the parent before the stream ends, so that whoever sees the end finds the result. Where the stream itself fails (it
 * was aborted as lost, or its channel is too small) `signal` aborts; what it came to can be told all the same.
 *
 * A writer that dies leaves the stream `aborted`, with the reason `lost`, when its lease ends: of that the parent hears nothing.
 */
export class StreamWriter {
  readonly #application: Application;
  readonly #model: ApplicationModel;
  readonly #options: StreamOptions;
  readonly #runtime: Runtime;
  readonly #id: string;
  readonly #controller = new AbortController();
  #stopWatching: () => void = () => undefined;
  #text = "";
  /** Letters of the text that are sent, and chunks. */
  #sent = 0;
  #chunks = 0;
  #sending: Promise<void> | undefined;
  #gathering: Timer | undefined;
  #beat: Timer | undefined;
  /** When the last sign of life was sent. */
  #alive: number;
  /** The stream takes nothing more; the outcome can still be told. */
  #broken = false;
  #isOver = false;
  #ending: Promise<Position> | undefined;

  private constructor(application: Application, options: StreamOptions, runtime: Runtime) {
    this.#application = application;
    this.#options = options;
    this.#runtime = runtime;
    this.#model = application.model(options.channel, NAME);
    this.#id = runtime.randomId();
    this.#alive = runtime.elapsed();
  }

  /** See `Application.stream`. */
  static async open(application: Application, options: StreamOptions, runtime: Runtime): Promise<StreamWriter> {
    const writer = new StreamWriter(application, options, runtime);
    const position = await writer.#model.command("open", { writer: writer.#id, lease: options.lease ?? LEASE_MS });
    writer.#stopWatching = await application.subscribe(
      options.channel,
      { onEvents: (events) => writer.#heard(events.map(({ type }) => type)), onReset: () => writer.#break("gone") },
      position,
    );
    writer.#nextBeat();
    return writer;
  }

  /** Aborts when a reader asks for the end (its reason is `stopped`), and when the stream can take nothing more: end it then, by `finish` or `abort`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Adds to the text.
   *
   * @throws TandemError `closed` after its end; `event-too-large` where the text is longer than 1,000,000 letters
   */
  write(text: string): void {
    if (this.#ending) throw new TandemError("closed", "The stream has ended.");
    if (this.#text.length + text.length > LENGTH)
      throw new TandemError("event-too-large", `A stream has ${LENGTH} letters at most.`);
    this.#text += text;
    this.#gather();
  }

  #gather(): void {
    if (this.#broken || this.#sending || this.#gathering) return;
    this.#gathering = this.#runtime.timer(this.#options.batch ?? BATCH_MS, () => {
      this.#gathering = undefined;
      void this.#flush();
    });
  }

  /**
   * Tells the parent the whole text, then ends the stream. Twice is once.
   *
   * @returns the position after what was told. Rejects as `publish` and `command` do: then the stream is aborted
   */
  finish(): Promise<Position> {
    this.#ending ??= this.#end({ kind: "finished", text: this.#text });
    return this.#ending;
  }

  /** As `finish`, where the text is not whole. @param reason told to the readers, 500 letters at most. Default `aborted` */
  abort(reason = "aborted"): Promise<Position> {
    this.#ending ??= this.#end({ kind: "aborted", text: this.#text, reason: reason.slice(0, 500) || "aborted" });
    return this.#ending;
  }

  async #end(outcome: StreamOutcome): Promise<Position> {
    try {
      this.#gathering?.cancel();
      await this.#flush();
      const position = await this.#tell(outcome);
      await this.#close(outcome);
      return position;
    } catch (error) {
      await this.#close({ kind: "aborted", text: outcome.text, reason: "its result could not be stored" });
      throw error;
    }
  }

  #tell(outcome: StreamOutcome): Promise<Position> {
    const { parent } = this.#options;
    if ("event" in parent) {
      const author = parent.user === undefined ? {} : { author: parent.user };
      return this.#application.publish(parent.channel, parent.event, parent.data(outcome), author);
    }
    const user = parent.user === undefined ? {} : { user: parent.user };
    return this.#application.model(parent.channel, parent.model).command(parent.command, parent.input(outcome), user);
  }

  /** The stream's end; its channel goes when those who read it have had time to see it. */
  async #close(outcome: StreamOutcome): Promise<void> {
    const { channel, keep = KEEP_MS } = this.#options;
    this.#beat?.cancel();
    this.#stopWatching();
    const writer = this.#id;
    try {
      if (outcome.kind === "finished" && !this.#broken) await this.#model.command("finish", { writer });
      else if (!this.#isOver) {
        const reason = outcome.kind === "aborted" ? outcome.reason : "incomplete";
        await this.#model.command("abort", { writer, reason });
      }
    } catch (error) {
      // Its lease ends it.
      this.#runtime.logger.warn({ error, channel }, "a stream could not be ended");
    }
    this.#runtime.timer(keep, () => {
      this.#application.remove(channel).catch((error: unknown) => {
        this.#runtime.logger.warn({ error, channel }, "a stream could not be removed");
      });
    });
  }

  #heard(types: readonly string[]): void {
    for (const type of types) {
      if (type === `${NAME}.stopping`) this.#controller.abort(new DOMException("stopped", "AbortError"));
      if (type === `${NAME}.aborted`) {
        this.#isOver = true;
        this.#break("lost");
      }
    }
  }

  /** The stream takes nothing more. */
  #break(why: string): void {
    this.#broken = true;
    this.#controller.abort(new DOMException(why, "AbortError"));
  }

  /** Sends what is there, chunk by chunk, until nothing waits. What is written meanwhile goes out together. */
  #flush(): Promise<void> {
    this.#sending ??= this.#pass().finally(() => {
      this.#sending = undefined;
      if (!this.#ending && chunkOf(this.#text, this.#sent) !== "") this.#gather();
    });
    return this.#sending;
  }

  async #pass(): Promise<void> {
    while (!this.#broken) {
      const text = chunkOf(this.#text, this.#sent);
      if (text === "") return;
      this.#alive = this.#runtime.elapsed();
      try {
        await this.#model.command("append", { writer: this.#id, at: this.#chunks, text });
      } catch (error) {
        this.#runtime.logger.warn({ error, channel: this.#options.channel }, "a stream takes nothing more");
        return this.#break(error instanceof TandemError ? error.code : "failed");
      }
      this.#sent += text.length;
      this.#chunks++;
    }
  }

  #nextBeat(): void {
    const third = (this.#options.lease ?? LEASE_MS) / 3;
    this.#beat = this.#runtime.timer(third, () => {
      if (this.#broken) return;
      if (this.#runtime.elapsed() - this.#alive >= third && !this.#sending) {
        this.#alive = this.#runtime.elapsed();
        this.#model.command("renew", { writer: this.#id }).catch(() => undefined);
      }
      this.#nextBeat();
    });
  }
}

/** The next letters: the first half of one waits for its second. */
function chunkOf(text: string, from: number): string {
  const chunk = text.slice(from, from + CHUNK_LENGTH);
  const last = chunk.charCodeAt(chunk.length - 1);
  return last >= 0xd800 && last < 0xdc00 ? chunk.slice(0, -1) : chunk;
}
