/** The committing thread. Nobody imports this file: a URL names it. */

import type { MessagePort } from "node:worker_threads";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { storageFailure } from "./failure.ts";
import type { FromThread, Reply, ShortJob, ThreadSettings, ToThread, WriterJob, WriterJobs } from "./jobs.ts";
import { isLong } from "./jobs.ts";
import type { Upkeep } from "./upkeep.ts";
import { TIDY_AGAIN_MS, Writing } from "./writing.ts";

/** Most appends of one commit: what comes after it goes into the next. */
const COMMIT_APPENDS = 8_192;

const port = parentPort as MessagePort;
const { file, bounds, first } = workerData as ThreadSettings;
const writing = new Writing(file, bounds);
const queue: WriterJob[] = [];
/** Long jobs that were begun; each goes a step on between two commits. */
const upkeeps: { readonly id: number; readonly upkeep: Upkeep<unknown> }[] = [];
let tidying: NodeJS.Timeout | undefined;
let closing = false;

function tell(message: FromThread): void {
  port.postMessage(message);
}

function take(message: ToThread<WriterJobs>): void {
  if (message === "close") closing = true;
  else queue.push(...message);
}

/** Group commit: everything that came in while the last commit ran is in the port by now, and goes into this one. */
function takeAll(): void {
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) take(next.message);
}

function work(): void {
  do {
    takeAll();
    const replies = commitNext();
    const upkeep = upkeeps.shift();
    if (upkeep) {
      const reply = writing.step(upkeep.id, upkeep.upkeep);
      if (reply) replies.push(reply);
      else upkeeps.push(upkeep);
    }
    tidy();
    if (replies.length > 0) tell({ kind: "replies", replies });
  } while (queue.length > 0 || upkeeps.length > 0);
  if (!closing) return;
  clearTimeout(tidying);
  writing.close();
  port.close();
}

/** Does the short jobs at the front of the queue in one commit, and begins the long ones that it meets. */
function commitNext(): Reply[] {
  const group: ShortJob[] = [];
  let appends = 0;
  let taken = 0;
  for (const job of queue) {
    if (appends >= COMMIT_APPENDS) break;
    taken++;
    if (isLong(job)) {
      upkeeps.push({ id: job.id, upkeep: writing.begin(job) });
      continue;
    }
    if (job.kind === "append") for (const count of job.job.counts) appends += count;
    group.push(job);
  }
  queue.splice(0, taken);
  return group.length > 0 ? writing.commit(group) : [];
}

/** A reader that is in the way may be so for long: it is tried again by the clock, not with every commit. */
function tidy(): void {
  if (tidying || !writing.tidy()) return;
  tidying = setTimeout(() => {
    tidying = undefined;
    tidy();
  }, TIDY_AGAIN_MS);
}

try {
  if (first) writing.start(true);
  else writing.takeOver();
  tell({ kind: "started" });
  port.on("message", (message: ToThread<WriterJobs>) => {
    take(message);
    work();
  });
} catch (error) {
  const reason = storageFailure(error, file)?.reason ?? (error instanceof Error ? error.message : String(error));
  tell({ kind: "not-started", reason });
  port.close();
}
