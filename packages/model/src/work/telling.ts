import type { Timer } from "@tandem/runtime";
import { LINES } from "../job/job.ts";
import { CHECKPOINT_MS } from "../job/jobs.ts";
import type { Answer, WorkPorts } from "./ports.ts";

/** Lines that wait to be sent; of more than that the oldest are left out. */
const WAITING = 500;

/** Lines are gathered so long, in milliseconds. */
const GATHER_MS = 200;

const LINE_LENGTH = 500;

/** What a worker may say beside how far it is. */
export interface Told {
  readonly step?: string;
  readonly text?: string;
  /** What the next attempt may go on from: JSON, 16 KiB at most. */
  readonly checkpoint?: unknown;
}

/** Under which lease. */
export interface Held {
  readonly job: string;
  readonly token: number;
}

/** What an attempt tells of itself: the newest progress once a second, and its lines in bunches, each when the one before it was answered. */
export class Telling {
  readonly #ports: WorkPorts;
  readonly #held: Held;
  /** Is told what became of each sign of life, and when that was sent. */
  readonly #answered: (answer: Answer, sent: number) => void;
  #progress: ({ progress: number } & Told) | undefined;
  #furthest: number;
  #lines: string[] = [];
  #left = 0;
  #sending = false;
  #gathering: Timer | undefined;
  #pacing: Timer | undefined;
  #ended = false;

  constructor(ports: WorkPorts, held: Held, from: number, answered: (answer: Answer, sent: number) => void) {
    this.#ports = ports;
    this.#held = held;
    this.#furthest = from;
    this.#answered = answered;
  }

  /** How far it is. */
  get furthest(): number {
    return this.#furthest;
  }

  progress(fraction: number, told: Told): void {
    if (this.#ended) return;
    const progress = Number.isFinite(fraction) ? Math.min(1, Math.max(0, fraction)) : 0;
    this.#furthest = Math.max(this.#furthest, progress);
    // Of several that are told as one, a checkpoint stands until there is a newer one.
    const { checkpoint = this.#progress?.checkpoint, step, text } = told;
    this.#progress = {
      progress: this.#furthest,
      ...(step ? { step: step.slice(0, 100) } : {}),
      ...(text === undefined ? {} : { text: text.slice(0, 500) }),
      ...(checkpoint === undefined ? {} : { checkpoint }),
    };
    if (!this.#pacing && !this.#sending) void this.#checkpoint();
  }

  log(line: string): void {
    if (this.#ended) return;
    this.#lines.push(line.slice(0, LINE_LENGTH));
    if (this.#lines.length > WAITING) {
      this.#lines.shift();
      this.#left++;
    }
    this.#gathering ??= this.#ports.runtime.timer(GATHER_MS, () => {
      this.#gathering = undefined;
      void this.#pass();
    });
  }

  /** Sends the lines that wait, then nothing more. Progress that was not told yet is told by the end. */
  end(): void {
    if (this.#ended) return;
    this.#gathering?.cancel();
    while (this.#lines.length > 0) void this.#send("log", { ...this.#held, lines: this.#bunch() });
    this.drop();
  }

  /** Sends nothing more. */
  drop(): void {
    this.#ended = true;
    this.#gathering?.cancel();
    this.#pacing?.cancel();
    this.#lines = [];
    this.#progress = undefined;
  }

  async #checkpoint(): Promise<void> {
    const told = this.#progress;
    if (!told || this.#ended) return;
    this.#progress = undefined;
    this.#sending = true;
    const answer = await this.#send("progress", { ...this.#held, ...told });
    this.#sending = false;
    if (answer.kind === "refused" && answer.code === "too-soon") this.#progress ??= told;
    const wait = (answer.kind === "refused" ? answer.after : undefined) ?? CHECKPOINT_MS;
    if (this.#ended) return;
    this.#pacing = this.#ports.runtime.timer(wait, () => {
      this.#pacing = undefined;
      void this.#checkpoint();
    });
  }

  async #pass(): Promise<void> {
    if (this.#ended || this.#lines.length === 0) return;
    await this.#send("log", { ...this.#held, lines: this.#bunch() });
    if (this.#lines.length > 0 && !this.#gathering) void this.#pass();
  }

  #bunch(): string[] {
    const lines = this.#lines.splice(0, this.#left > 0 ? LINES - 1 : LINES);
    if (this.#left > 0) lines.unshift(`(${this.#left} lines were left out)`);
    this.#left = 0;
    return lines;
  }

  async #send<N extends "progress" | "log">(command: N, input: Parameters<WorkPorts["send"]>[1]): Promise<Answer> {
    const sent = this.#ports.runtime.elapsed();
    const answer = await this.#ports.send(command, input as never);
    this.#answered(answer, sent);
    return answer;
  }
}
