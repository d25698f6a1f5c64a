import { check } from "./checker.ts";
import { endConsumers } from "./consumers/ending.ts";
import { Foreman } from "./consumers/foreman.ts";
import { ending } from "./ending.ts";
import { Circle } from "./following/circle.ts";
import { endCircle } from "./following/ending.ts";
import type { Violation } from "./history.ts";
import { closeWorkshop } from "./models/closing.ts";
import { endDesks } from "./models/ending.ts";
import { Office } from "./models/office.ts";
import { Workshop } from "./models/workshop.ts";
import { Company } from "./presence/company.ts";
import { endCompany } from "./presence/ending.ts";
import { CROWDED_HALLS, HALLS } from "./presence/hall.ts";
import { Judge } from "./presence/judge.ts";
import { Random } from "./random.ts";
import type { Kind } from "./tally.ts";
import { Workload } from "./workload.ts";
import type { WorldOptions } from "./world.ts";
import { World } from "./world.ts";

/** What a schedule came to. */
export interface Outcome {
  readonly steps: number;
  readonly violations: readonly Violation[];
  /** Two runs of one seed have the same. */
  readonly hash: string;
  readonly tally: Record<Kind, Record<string, number>>;
  readonly trace: readonly string[];
}

/** Chance of presence: a stream of its own, so that schedules without it are as they were. */
const COMPANY = 1;

/** Chance of a crowd: likewise. */
const CROWD = 3;

/** …of what is followed. */
const CIRCLE = 5;

/** …of durable consumers. */
const CONSUMERS = 6;

/** …of channels with models: one in which the seeds that were pinned before draw none, and stay what they were. */
const DESK = 618;

/** Share of schedules with such channels. */
const WITH_DESKS = 0.34;

/** …of workshops: likewise. */
const WORKSHOP = 896;

/** Share of schedules with one. */
const WITH_WORKSHOP = 0.2;

/** Share of schedules in which visitors are present and signal. */
const IN_COMPANY = 0.5;

/** Of these, the share in which one of the halls is a crowd. */
const CROWDED = 0.4;

/** Runs one schedule from its seed: faults and work, then calm, then the reckoning. */
export async function runSchedule(seed: number, options: WorldOptions = {}): Promise<Outcome> {
  const world = new World(seed, options);
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown) => rejections.push(reason);
  process.on("unhandledRejection", onRejection);
  try {
    const workload = new Workload(world);
    const { visitors } = workload;
    const chance = new Random(seed, COMPANY);
    const halls = new Random(seed, CROWD).chance(CROWDED) ? CROWDED_HALLS : HALLS;
    const company = chance.chance(IN_COMPANY) ? new Company(world, visitors, halls, chance) : undefined;
    if (company) {
      world.clock.after(50, undefined, () => company.start());
      new Judge(world, halls).start();
    }
    const circle = world.scope.following
      ? new Circle(world, visitors, workload.channels, new Random(seed, CIRCLE))
      : undefined;
    if (circle) world.clock.after(50, undefined, () => circle.start());
    const foreman = world.scope.consumers
      ? new Foreman(world, workload.channels, new Random(seed, CONSUMERS))
      : undefined;
    if (foreman) world.clock.after(50, undefined, () => foreman.start());
    const desks = new Random(seed, DESK);
    const office = desks.chance(WITH_DESKS) ? new Office(world, visitors, desks) : undefined;
    if (office) world.clock.after(50, undefined, () => office.start());
    const works = new Random(seed, WORKSHOP);
    const workshop = works.chance(WITH_WORKSHOP) ? new Workshop(world, visitors, works) : undefined;
    if (workshop) world.clock.after(60, undefined, () => workshop.start());
    await workload.run();
    foreman?.calm();
    company?.stop();
    circle?.stop();
    office?.stop();
    workshop?.stop();
    const calm = world.calm();
    // What is worked on comes to its end first: as long as there is news, others may be behind.
    if (workshop) await closeWorkshop(world, workshop, calm);
    await ending(world, workload, Math.max(calm, world.clock.now));
    // Those who were away may have asked for more.
    if (workshop) await closeWorkshop(world, workshop, world.clock.now);
    workshop?.authors.conclude();
    if (foreman) await endConsumers(world, foreman);
    if (circle) await endCircle(world, circle, visitors);
    if (office || workshop) await endDesks(world, [...(office?.clerks ?? []), ...(workshop?.clerks ?? [])]);
    if (company) await endCompany(world, company, visitors, calm);
    world.wire.conclude();
    check(world.history, world.ledger, world.clock.now);
    // What nobody handled is told at the end of the turn.
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off("unhandledRejection", onRejection);
  }
  for (const reason of rejections) {
    const stack = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    world.history.violate("G12", world.clock.now, `a rejection that nobody handled: ${stack}`);
  }
  const violations = world.history.violations.toSorted((a, b) => a.at - b.at);
  return {
    steps: world.clock.steps,
    violations,
    hash: world.trace.hash,
    tally: world.tally.all(),
    trace: world.trace.lines,
  };
}
