import type { Store } from "@tandem/runtime";

/** Calls `look` whenever one of the stores changes. @returns the call that ends it */
export function watch(stores: readonly Store<unknown>[], look: () => void): () => void {
  const endings = stores.map((store) => store.subscribe(look));
  return () => {
    for (const end of endings) end();
  };
}
