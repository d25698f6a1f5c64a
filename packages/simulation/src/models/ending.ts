import { isAway, toWrite } from "../ending.ts";
import { nameIn } from "../eyes.ts";
import { EPOCH_START } from "../process.ts";
import type { World } from "../world.ts";
import type { Command } from "./book.ts";
import type { Clerk } from "./clerk.ts";
import { modelsOf } from "./desk.ts";
import { Inspector } from "./inspector.ts";

/** Clients hold what the log holds within this, in milliseconds, beside what their rates ask for: as with publishes, a command may wait before it is asked again, 30 s at most. */
const SAME_MS = 40_000;

/** A deadline that has passed longer ago than this, in milliseconds, should have taken effect. */
const LATE_MS = 12_000;

const LOOK_MS = 250;

/** For what reasons a command may be refused for good that its model would take. */
const REFUSALS = new Set([
  "rejected",
  "invalid-data",
  "invalid-command",
  "forbidden",
  "fence-required",
  "stale-fence",
  "channel-archived",
]);

/** The end of a schedule with desks: everybody holds the same, nothing is under way, what is over has its end. */
export async function endDesks(world: World, clerks: readonly Clerk[]): Promise<void> {
  const { clock, history, desks, ledger } = world;
  const visitors = new Set(clerks.map(({ visitor }) => visitor));
  const patience = SAME_MS + Math.max(0, ...[...visitors].map((visitor) => toWrite(world, visitors, visitor)));
  const until = clock.now + patience;
  const wrong = () =>
    clerks
      .filter(({ visitor }) => !isAway(world, visitor))
      .flatMap(({ desks: used }) => used.flatMap(({ glass }) => glass.atEnd() ?? []));
  while (clock.now < until && wrong().length > 0) await clock.runUntil(clock.now + LOOK_MS);
  for (const text of wrong())
    history.violate("M16", clock.now, `${text}, ${Math.round(patience)} ms after all was well`);
  await clock.runUntil(clock.now + LATE_MS);
  for (const channel of desks.channels) {
    const [head] = await world.storage.store.heads([channel]);
    for (const name of modelsOf(nameIn(channel))) {
      const due = desks.deadlineOf(channel, name);
      const late = due === undefined ? 0 : EPOCH_START + clock.now - due;
      if (late > LATE_MS && !head?.archived)
        history.violate("M2", clock.now, `the deadline of ${name} of ${channel} passed ${Math.round(late)} ms ago`);
    }
  }
  await new Inspector(world, world.random).compareStore();
  const alive = new Set([
    ...clerks.map(({ visitor }) => visitor.instance),
    ...world.hosts.flatMap(({ process }) => process?.name ?? []),
  ]);
  const restored = ledger.restorations.length > 0;
  for (const command of desks.book.commands) checkCommand(world, command, restored, alive);
}

/** G1, G2, G14: what was accepted is stored, once; what was refused is not. */
function checkCommand(world: World, command: Command, restored: boolean, alive: ReadonlySet<string>): void {
  const { history, ledger, clock } = world;
  const { channel, commits, verdict, by } = command;
  const wrong = (rule: string, text: string) =>
    history.violate(
      rule,
      command.settledAt ?? clock.now,
      `${command.model}.${command.command} ${JSON.stringify(command.input)} of ${by ?? command.user} on ${channel} ${text}`,
    );
  const isLost = ({ at, first }: Command["commits"][number]) =>
    first ? first.lost : ledger.restorations.some((one) => one.at >= at);
  const kept = commits.filter((commit) => !isLost(commit));
  if (kept.length > 1)
    wrong("G2", `was stored ${kept.length} times, at ${kept.map(({ position }) => position.offset).join(", ")}`);
  if (kept.length > 0 && command.refusals.length > 0 && !restored) wrong("G2", "was stored, and refused");
  if (by === undefined) return;
  if (!verdict) {
    if (command.statuses.length > 0 && alive.has(by)) wrong("G14", `was never settled: ${command.statuses.join(", ")}`);
    return;
  }
  switch (verdict.kind) {
    case "confirmed": {
      const { epoch, offset, tag } = verdict.position;
      const commit = commits.find(
        ({ position }) => position.epoch === epoch && position.offset === offset && position.tag === tag,
      );
      if (!commit) return wrong("G1", `was confirmed at ${JSON.stringify(verdict.position)}, and not stored there`);
      if (commit.at > (command.settledAt ?? clock.now)) wrong("G1", "was confirmed before it was stored");
      return;
    }
    case "rejected":
      if (kept.length > 0) wrong("G14", `was refused (${verdict.code}), and is stored`);
      if (!REFUSALS.has(verdict.code) && verdict.code !== "closed") wrong("G14", `was refused for ${verdict.code}`);
      return;
    case "unknown":
      return;
  }
}
