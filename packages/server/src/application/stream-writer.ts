import type { StreamParent } from "@tandem/model";
import { CHUNK_LENGTH, tellingOf } from "@tandem/model";
import type { Position } from "@tandem/protocol";
import { mintProducer, TandemError } from "@tandem/protocol";
import type { Runtime, Timer } from "@tandem/runtime";
import type { Application } from "./application.ts";
import type { ApplicationModel } from "./application-model.ts";
import { tell } from "./errand.ts";

/** Pieces are gathered so long, in milliseconds. */
const BATCH_MS = 20;

const LEASE_MS = 15_000;

/** How long a stream that is over can be read, in milliseconds: those who are behind come to its end. */
const KEEP_MS = 10_000;

/** Bytes of JSON that stay free where the parent is told, for what it makes of a command. */
const SPARE = 256;

/** The longest reason for which a stream is aborted, in letters. */
const REASON = 500;

const NAME = "stream";

export interface StreamOptions {
  /** A channel that nothing was written to: `text:{random id}`. */
  readonly channel: string;
  /** Where its outcome is told. All who read the stream are shown this. */
  readonly parent: StreamParent;
  /** Milliseconds for which pieces are gathered into one event. Default 20. */
  readonly batch?: number;
  /** Milliseconds after which the stream is aborted when its writer is lost. Default 15 s. */
  readonly lease?: number;
  /** Milliseconds for which the stream's channel stays once it is over. Default 10 s. */
  readonly keep?: number;
}

/**
 * Writes a stream. The whole text is told to the parent before the stream ends, so that whoever sees the end finds the result. Where the stream itself fails (its
 * writer was thought lost, or its channel is too small) `signal` aborts.
 *
 * When the lease of a writer ends that has died or hangs, any node tells the parent what was written, with the reason `lost`. The parent is told one outcome, and once.
 */
export class StreamWriter {
  readonly #application: Application;
  readonly #model: ApplicationModel;
  readonly #options: StreamOptions;
  readonly #runtime: Runtime;
  readonly #id: string;
  /** The producer under which the parent is told. */
  readonly #once: string;
  readonly #controller = new AbortController();
  #stopWatching: () => void = () => undefined;
  #text = "";
  /** Bytes of JSON by which the text may grow: what it comes to is one event. */
  #room: number;
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

  private constructor(application: Application, options: StreamOptions, runtime: Runtime, eventBytes: number) {
    this.#application = application;
    this.#options = options;
    this.#runtime = runtime;
    this.#model = application.model(options.channel, NAME);
    this.#id = runtime.randomId();
    this.#once = mintProducer(runtime.now(), runtime.randomId());
    this.#alive = runtime.elapsed();
    const told = tellingOf(options.parent, "", "x".repeat(REASON));
    this.#room = eventBytes - bytesOf("event" in told ? told.data : told.input) - SPARE;
  }

  /** See `Application.stream`. @param eventBytes the limit of that name */
  static async open(
    application: Application,
    options: StreamOptions,
    runtime: Runtime,
    eventBytes: number,
  ): Promise<StreamWriter> {
    const writer = new StreamWriter(application, options, runtime, eventBytes);
    const { parent, lease = LEASE_MS, keep = KEEP_MS } = options;
    const once = writer.#once;
    const opening = { writer: writer.#id, lease, parent: { ...parent, once }, keep };
    const position = await writer.#model.command("open", opening);
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
   * @throws TandemError `closed` after its end; `event-too-large` where the whole text would not fit into one event (`eventBytes`), by which the parent is told:
   *   `text` is not added then, and what there is can be ended as any other
   */
  write(text: string): void {
    if (this.#ending) throw new TandemError("closed", "The stream has ended.");
    const bytes = bytesOf(text) - 2;
    if (bytes > this.#room)
      throw new TandemError("event-too-large", "The text does not fit into one event. Raise `eventBytes`, or end it.");
    this.#room -= bytes;
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
   * @returns the position after what was told. Rejects as `publish` and `command` do, and with `closed` where the parent was told before that the writer is
   *   lost: then the stream is aborted
   */
  finish(): Promise<Position> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  /** As `finish`, where the text is not whole. @param reason told to the readers, 500 letters at most. Default `aborted` */
  abort(reason = "aborted"): Promise<Position> {
    this.#ending ??= this.#end(reason.slice(0, REASON) || "aborted");
    return this.#ending;
  }

  /** @param aborted why it is not whole */
  async #end(aborted?: string): Promise<Position> {
    try {
      this.#gathering?.cancel();
      await this.#flush();
      const position = await this.#tell(aborted);
      await this.#close(aborted);
      return position;
    } catch (error) {
      await this.#close("its result could not be stored");
      throw error;
    }
  }

  async #tell(aborted: string | undefined): Promise<Position> {
    try {
      const to = tellingOf(this.#options.parent, this.#text, aborted);
      return await tell(this.#application, to, this.#once);
    } catch (error) {
      if (!(error instanceof TandemError) || error.code !== "body-mismatch") throw error;
      throw new TandemError("closed", "The writer was thought lost, and the parent was told so.", { cause: error });
    }
  }

  /** The stream's end. Its channel goes by itself, when those who read it have had time to see that. */
  async #close(aborted: string | undefined): Promise<void> {
    this.#beat?.cancel();
    this.#stopWatching();
    const writer = this.#id;
    try {
      if (aborted === undefined && !this.#broken) await this.#model.command("finish", { writer });
      else if (!this.#isOver) await this.#model.command("abort", { writer, reason: aborted ?? "incomplete" });
    } catch (error) {
      // Its lease ends it.
      this.#runtime.logger.warn({ error, channel: this.#options.channel }, "a stream could not be ended");
    }
  }

  #heard(types: readonly string[]): void {
    for (const type of types) {
      if (type === `${NAME}.stopping`) this.#controller.abort(new DOMException("stopped", "AbortError"));
      if (type === `${NAME}.lapsed` || type === `${NAME}.aborted`) {
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

function bytesOf(data: unknown): number {
  return Buffer.byteLength(JSON.stringify(data));
}

/** The next letters: the first half of one waits for its second. */
function chunkOf(text: string, from: number): string {
  const chunk = text.slice(from, from + CHUNK_LENGTH);
  const last = chunk.charCodeAt(chunk.length - 1);
  return last >= 0xd800 && last < 0xdc00 ? chunk.slice(0, -1) : chunk;
}
