import type { Store } from "@tandem/runtime";
import { useSyncExternalStore } from "react";

/** The value of a store, now and after every change. */
export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}
