/** The reading thread. Nobody imports this file: a URL names it. */

import type { MessagePort } from "node:worker_threads";
import { parentPort, workerData } from "node:worker_threads";
import { storageFailure } from "./failure.ts";
import type { FromThread, ReaderJobs, ThreadSettings, ToThread } from "./jobs.ts";
import { Reading } from "./reading.ts";

const port = parentPort as MessagePort;
const { file, first } = workerData as ThreadSettings;
const reading = new Reading(file);

function tell(message: FromThread): void {
  port.postMessage(message);
}

try {
  if (first) reading.start();
  tell({ kind: "started" });
  port.on("message", (message: ToThread<ReaderJobs>) => {
    if (message === "close") {
      reading.close();
      port.close();
      return;
    }
    tell({ kind: "replies", replies: reading.answer(message) });
  });
} catch (error) {
  const reason = storageFailure(error, file)?.reason ?? (error instanceof Error ? error.message : String(error));
  tell({ kind: "not-started", reason });
  port.close();
}
