/** A value that can be watched: the shape of React's `useSyncExternalStore` and of every other store. */
export interface Store<T> {
  /** The present value: the same object until it changes. */
  get(): T;
  /** Calls `listener` after each change. @returns the call that ends it. */
  subscribe(listener: () => void): () => void;
}

/** A store whose owner sets its value. */
export class Cell<T> implements Store<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();
  readonly #onError: ((error: unknown) => void) | undefined;

  /** @param onError is told what a listener threw. Left out: it is thrown on, and the listeners after it are not called. */
  constructor(value: T, onError?: (error: unknown) => void) {
    this.#value = value;
    this.#onError = onError;
  }

  get = (): T => this.#value;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    // Those who listen by now: who comes while they are told has the present value already.
    for (const listener of [...this.#listeners]) {
      if (!this.#listeners.has(listener)) continue;
      try {
        listener();
      } catch (error) {
        if (!this.#onError) throw error;
        this.#onError(error);
      }
    }
  }
}
