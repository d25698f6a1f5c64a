import type { Job } from "@tandem/model";
import { isOver, leaseOf } from "@tandem/model";
import { isAway } from "../ending.ts";
import { EPOCH_START } from "../process.ts";
import type { World } from "../world.ts";
import type { Order } from "./orders.ts";
import type { Run } from "./shop.ts";
import { stopOf } from "./shop.ts";
import type { Workshop } from "./workshop.ts";

/** Every job is over within this, in milliseconds, once all is well. */
const OVER_MS = 60_000;

/** A worker knows within this, in milliseconds, that its job is being cancelled. */
const TOLD_MS = 2_000;

/** A node that is not up yet takes no word, nor does one that has just lost its way to the log. */
const AGAIN_MS = 5_000;

const LOOK_MS = 250;

/** A run whose job was cancelled while it had time left, and when that was stored. */
interface Cancelled {
  readonly run: Run;
  readonly at: number;
}

/**
 * The end of a workshop, as far as it was asked for: what would go on for ever is cancelled, and everything else comes to its end.
 *
 * @param calm when nothing is wrong any more
 */
export async function closeWorkshop(world: World, workshop: Workshop, calm: number): Promise<void> {
  const { clock, history } = world;
  const { shop } = workshop;
  const until = calm + OVER_MS;
  const asked = new Map<string, number>();
  const known = new Set<Run>();
  let cancelled: Cancelled[] = [];
  const open = () => [...workshop.jobs.jobs.values()].filter((job) => !isOver(job));
  const atWork = () => shop.atWork.filter(({ channel }) => channel === workshop.key);
  const asking = () =>
    workshop.clerks
      .filter(({ visitor }) => !isAway(world, visitor))
      .some(({ desks }) => desks.some(({ handle }) => handle.pending.get() > 0));
  while (
    clock.now < until &&
    (asking() || open().length > 0 || atWork().length > 0 || workshop.authors.texts.length > 0)
  ) {
    for (const job of open()) {
      const run = atWork().find((one) => one.job.id === job.id && one.job.token === job.token);
      if ((job.input as Partial<Order> | undefined)?.ends !== "never" || job.phase.kind === "cancelling") continue;
      const isNew = clock.now - (asked.get(job.id) ?? 0) < AGAIN_MS;
      if (isNew || (job.phase.kind === "running" && !run)) continue;
      asked.set(job.id, clock.now);
      workshop.command("jobs", { command: "cancel", input: { job: job.id } });
    }
    await clock.runUntil(clock.now + LOOK_MS);
    for (const job of open()) {
      const run = atWork().find((one) => one.job.id === job.id && one.job.token === job.token);
      if (!run || known.has(run) || !hasTime(job, clock.now)) continue;
      known.add(run);
      cancelled.push({ run, at: clock.now });
    }
    cancelled = cancelled.filter(({ run, at }) => !isTold(world, workshop, run, at));
  }
  for (const { id, phase } of open())
    history.violate("M21", clock.now, `the job ${id} is ${phase.kind}, ${OVER_MS} ms after all was well`);
  for (const { job, process } of atWork())
    history.violate("M22", clock.now, `${process.name} is at work on ${job.id}, ${OVER_MS} ms after all was well`);
}

/** It is being cancelled, and long enough before its lease ends that its worker hears of that, and of nothing else. */
function hasTime(job: Job, now: number): boolean {
  const left = (leaseOf(job)?.until ?? 0) - EPOCH_START - now;
  return job.phase.kind === "cancelling" && left > TOLD_MS + 2 * LOOK_MS;
}

/** M22: who works on a job that is cancelled is told so. @returns whether there is nothing more to wait for */
function isTold(world: World, workshop: Workshop, run: Run, at: number): boolean {
  const { clock, history, tally } = world;
  if (run.ended || run.signal.aborted) {
    tally.count("path", `job-cancel-told.${stopOf(run) ?? "ended"}`);
    return true;
  }
  if (clock.now < at + TOLD_MS) return false;
  if (!mayBeLate(world, workshop, run, at)) {
    const text = `${run.process.name} works on ${run.job.id}, which was cancelled ${TOLD_MS} ms ago, and was not told`;
    history.violate("M22", clock.now, text);
  }
  return true;
}

/** It stood still or was cut off, or works in a client that was, or whose connection has other things to carry before at so many bytes a second. */
function mayBeLate(world: World, workshop: Workshop, { process }: Run, at: number): boolean {
  if (process.pausedUntil > at || world.network.of(process).some(({ whole }) => !whole)) return true;
  const visitor = workshop.visitors.find((one) => one.process === process);
  if (!visitor) return false;
  return world.limits.bytesPerSecond > 0 || isAway(world, visitor) || visitor.awayAt > at - LOOK_MS;
}
