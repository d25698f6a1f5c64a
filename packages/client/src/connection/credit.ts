import type { Runtime } from "@tandem/runtime";
import { Alarm } from "../alarm.ts";

/** Length of processed frames after which the server is told of them. Its window is at least this. */
const TELL_BYTES = 16_384;

/** Milliseconds after which the server is told of a processed frame at the latest. */
const TELL_MS = 500;

/** Counts the frames of one connection that were processed, and knows when the server should hear of it. */
export class Credit {
  readonly #alarm: Alarm;
  readonly #due: () => void;
  #frames = 0;
  #told = 0;
  #bytes = 0;
  #isDue = false;

  /** @param due is called when the count should go out */
  constructor(runtime: Runtime, due: () => void) {
    this.#alarm = new Alarm(runtime);
    this.#due = due;
  }

  processed(bytes: number): void {
    this.#frames++;
    this.#bytes += bytes;
    if (this.#bytes >= TELL_BYTES) this.#tell();
    else if (!this.#alarm.isSet) this.#alarm.set(TELL_MS, () => this.#tell());
  }

  /** The count to be sent now, if any. `passing`: something else is sent anyway. */
  take(passing: boolean): number | undefined {
    if (this.#frames === this.#told || !(passing || this.#isDue)) return undefined;
    this.stop();
    this.#isDue = false;
    this.#bytes = 0;
    this.#told = this.#frames;
    return this.#frames;
  }

  stop(): void {
    this.#alarm.cancel();
  }

  #tell(): void {
    this.#isDue = true;
    this.#due();
  }
}
