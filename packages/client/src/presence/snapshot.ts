import type { Store } from "@tandem/runtime";
import { Emitter } from "@tandem/runtime";

/** A store whose value is made when it is asked for, and anew after each change. */
export class Snapshot<T> implements Store<T> {
  readonly #make: (before: T | undefined) => T;
  readonly #changed: Emitter<void>;
  #value: T | undefined;
  #stale = true;

  constructor(make: (before: T | undefined) => T, onError: (error: unknown) => void) {
    this.#make = make;
    this.#changed = new Emitter(onError);
  }

  get = (): T => {
    if (this.#stale) {
      this.#value = this.#make(this.#value);
      this.#stale = false;
    }
    return this.#value as T;
  };

  subscribe = (listener: () => void): (() => void) => this.#changed.on(() => listener());

  /** What it is made of has changed. */
  change(): void {
    this.#stale = true;
    this.#changed.emit();
  }
}
