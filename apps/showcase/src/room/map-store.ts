import type { Store } from "@tandem/runtime";

/** A store of what `map` makes of another store's value. `map` is pure; where React binds the store, it gives a primitive. */
export function mapStore<A, B>(store: Store<A>, map: (value: A) => B): Store<B> {
  return { get: () => map(store.get()), subscribe: (listener) => store.subscribe(listener) };
}
