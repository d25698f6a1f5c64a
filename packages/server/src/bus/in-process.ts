import type { Bus, Envelope } from "./bus.ts";

/** A bus within one process: what one node sends, the other nodes of the process hear, in the same turn. */
export function createInProcessBus(): Bus {
  const listeners = new Set<(envelope: Envelope) => void>();
  return {
    send(envelope) {
      for (const listener of listeners) listener(envelope);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
