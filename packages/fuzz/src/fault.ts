import type { Transport } from "@tandem/server";
import { computedUntilNow } from "./stall.ts";

/** Something wrong that is done on purpose, so that tests see the fuzzer notice it. */
export type Fault = "exit" | "stall" | "lose";

/** Milliseconds of computing for which the event loop is held up. */
const STALL_MS = 400;

/** Frames to the control client after which one is lost. */
const LOST = 40;

/** The way to the control client, which loses a frame where that is asked for. */
export function plant(transport: Transport, fault: Fault | undefined): Transport {
  if (fault !== "lose") return transport;
  let frames = 0;
  return {
    codec: transport.codec,
    address: transport.address,
    send(frame) {
      if (++frames !== LOST) transport.send(frame);
    },
    flush: (delivered) => transport.flush(delivered),
    buffered: () => transport.buffered(),
    close: (code, reason) => transport.close(code, reason),
    destroy: () => transport.destroy(),
  };
}

/** Happens while frames come in. */
plant.now = (fault: Fault | undefined): void => {
  if (fault === "exit") process.exit(7);
  // By what is computed, not by the clock: on a busy machine a while may be too short to be seen as the server's own.
  const until = computedUntilNow() + STALL_MS;
  while (fault === "stall" && computedUntilNow() < until);
};
