import type { Runtime } from "@tandem/runtime";
import { Alarm } from "../alarm.ts";

/** Milliseconds between two signals until the server has said. */
const PACE_MS = 50;

/** Milliseconds for which a signal that went out may turn out to have been dropped: the server says so within a second. */
const DOUBT_MS = 5_000;

/**
 * The signals of one channel: what this client signals goes out no faster than the server allows, the newest of each key; what others signal is kept,
 * the newest of each key and device.
 */
export class SignalBoard {
  readonly #runtime: Runtime;
  readonly #alarm: Alarm;
  readonly #due: () => void;
  readonly #latest = new Map<string, Map<string, unknown>>();
  #changed = new Map<string, Map<string, unknown>>();
  #waiting = new Map<string, unknown>();
  /** The newest signal of each key that went out, and when. */
  readonly #sent = new Map<string, { readonly data: unknown; readonly at: number }>();
  #paceMs = PACE_MS;
  /** Nothing goes out before this time of `elapsed`. */
  #next = 0;

  /** @param due is called when something is to go out */
  constructor(runtime: Runtime, due: () => void) {
    this.#runtime = runtime;
    this.#due = due;
    this.#alarm = new Alarm(runtime);
  }

  /** Signals: at once where the last signals are long enough ago, else as soon as they are. */
  send(key: string, data: unknown): void {
    this.#waiting.set(key, data);
    if (!this.#alarm.isSet) this.#wake();
  }

  #wake(): void {
    const wait = this.#next - this.#runtime.elapsed();
    if (wait > 0) this.#alarm.set(wait, this.#due);
    else this.#due();
  }

  /** What is to be sent now, in messages of at most `most` keys. */
  take(most: number): Record<string, unknown>[] {
    if (this.#waiting.size === 0 || this.#runtime.elapsed() < this.#next) return [];
    const waiting = [...this.#waiting];
    this.#waiting = new Map();
    this.#alarm.cancel();
    const at = this.#runtime.elapsed();
    this.#next = at + this.#paceMs;
    for (const [key, data] of waiting) this.#sent.set(key, { data, at });
    const messages = [];
    for (let at = 0; at < waiting.length; at += most) messages.push(Object.fromEntries(waiting.slice(at, at + most)));
    return messages;
  }

  /** The server's word for the time between two signals. */
  pace(ms: number): void {
    this.#paceMs = ms;
  }

  /** Signals were refused, and may not be again: sends nothing for a while, then the newest of each key, whether it went out lately or is new. */
  again(ms: number): void {
    const now = this.#runtime.elapsed();
    this.#next = Math.max(this.#next, now + ms);
    for (const [key, { data, at }] of this.#sent) {
      if (now - at < DOUBT_MS && !this.#waiting.has(key)) this.#waiting.set(key, data);
    }
    if (this.#waiting.size > 0) this.#wake();
  }

  /** Nothing can be sent now, and nothing is kept for later. */
  pause(): void {
    this.#alarm.cancel();
    this.#waiting.clear();
    this.#sent.clear();
  }

  /** Takes what others signal. Those of this client itself are among it. */
  hear(full: boolean, signals: Readonly<Record<string, Readonly<Record<string, unknown>>>>, self: string | undefined) {
    if (full) {
      for (const [key, known] of this.#latest) {
        for (const device of known.keys()) if (signals[key]?.[device] === undefined) this.#set(key, device, null);
      }
    }
    for (const [key, devices] of Object.entries(signals)) {
      for (const device of Object.keys(devices)) if (device !== self) this.#set(key, device, devices[device]);
    }
  }

  /** A device is not shown any more: it has left, or is elsewhere in a large room. */
  forget(device: string): void {
    for (const key of this.#latest.keys()) this.#set(key, device, null);
  }

  #set(key: string, device: string, data: unknown): void {
    const known = this.#latest.get(key) ?? new Map<string, unknown>();
    this.#latest.set(key, known);
    if (data === null && !known.delete(device)) return;
    if (data !== null) known.set(device, data);
    const changed = this.#changed.get(key) ?? new Map<string, unknown>();
    this.#changed.set(key, changed.set(device, data));
  }

  /** The newest signal of each device. */
  latest(key: string): ReadonlyMap<string, unknown> {
    return this.#latest.get(key) ?? new Map();
  }

  /** What has changed since this was asked last: by key, then by device; `null`: taken back. */
  changes(): ReadonlyMap<string, ReadonlyMap<string, unknown>> {
    const changed = this.#changed;
    if (changed.size > 0) this.#changed = new Map();
    return changed;
  }
}
