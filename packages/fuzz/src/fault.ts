import type { Transport } from "@tandem/server";

/** Something wrong that is done on purpose, so that tests see the fuzzer notice it. */
export type Fault = "exit" | "stall" | "lose";

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
  const until = performance.now() + 400;
  while (fault === "stall" && performance.now() < until);
};
