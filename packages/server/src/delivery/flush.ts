import type { Runtime } from "@tandem/runtime";
import type { FlushTurn, Outbox } from "./outbox.ts";

/** One flush per connection per turn of the event loop, all connections in one go. */
export function flushTurn(runtime: Pick<Runtime, "defer" | "logger">): FlushTurn {
  let due = new Set<Outbox>();
  let scheduled = false;
  return {
    mark(outbox) {
      due.add(outbox);
      if (scheduled) return;
      scheduled = true;
      runtime.defer(() => {
        const outboxes = due;
        due = new Set();
        scheduled = false;
        for (const flushed of outboxes) {
          try {
            flushed.flush();
          } catch (error) {
            // One connection's trouble is not the others': they are flushed all the same.
            runtime.logger.error({ error }, "a connection could not be flushed");
          }
        }
      });
    },
  };
}
