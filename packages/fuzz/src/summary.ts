import type { Counts } from "./reports.ts";
import type { Outcome } from "./run.ts";

/** Bytes of one frame that are printed. */
const SHOWN = 600;

/** An outcome for people. */
export function summaryOf(outcome: Outcome): string {
  const { seed, frames, scripts, seconds, told, server, control, violations } = outcome;
  const lines = [
    `seed ${seed}: ${number(frames)} mutated frames read in ${seconds.toFixed(1)} s (${number(Math.round(frames / seconds))} a second), ${number(scripts)} scripts over ${number(told.connections)} connections`,
  ];
  if (server) {
    lines.push(
      `reached a handler (messages by type): ${listed(server.accepted)}`,
      `refused before (by code): ${listed(server.refused)}`,
      `commands that a model decided: ${number(total(server.decisions.asked))} (${listed(server.decisions.asked)})`,
      `models answered: ${listed(server.decisions.answers)}; pieces of states told: ${number(told.messages.piece ?? 0)}`,
    );
  }
  lines.push(
    `answered (messages by type): ${listed(told.messages)}`,
    `answered (errors by code): ${listed(told.codes)}`,
    `connections ended: ${listed(told.closes)}`,
  );
  if (server) {
    lines.push(
      `longest stall of the event loop: ${server.stall.own} ms of its own (${server.stall.longest} ms by the clock)`,
      `most memory: ${Math.round(server.rss / 1e6)} MB; log lines: ${listed(server.lines)}`,
    );
  }
  lines.push(
    `control client: ${number(control)} events published, acknowledged and read twice`,
    `exits: ${server ? 0 : 1}`,
  );
  lines.push(violations.length === 0 ? "0 violations" : `${violations.length} violations:`);
  for (const violation of violations.slice(0, 10)) lines.push(`  ${violation}`);
  return lines.join("\n");
}

/** What led to a violation: the frames of the scripts under way, and how to send each again. */
export function suspectsOf({ seed, suspects }: Outcome): string {
  return suspects
    .flatMap(({ number: script, script: { codec, authenticated, frames } }) => [
      `script ${script} (${codec}, ${authenticated ? "authenticated" : "not authenticated"}); again: npm run fuzz -- --seed ${seed} --script ${script}`,
      ...frames.map(
        ({ bytes }) =>
          `  ${bytes.subarray(0, SHOWN).toString("base64")}${bytes.length > SHOWN ? `… ${bytes.length} bytes` : ""}`,
      ),
    ])
    .join("\n");
}

/** An outcome for programs. */
export function jsonOf({ seed, frames, scripts, seconds, told, server, control, violations }: Outcome): string {
  return JSON.stringify({
    seed,
    frames,
    scripts,
    seconds: Math.round(seconds * 10) / 10,
    handlers: server?.accepted ?? {},
    refused: server?.refused ?? {},
    commands: server?.decisions.asked ?? {},
    decisions: server?.decisions.answers ?? {},
    pieces: told.messages.piece ?? 0,
    answered: told.codes,
    closes: told.closes,
    connections: told.connections,
    stallMs: server?.stall.own,
    stallClockMs: server?.stall.longest,
    memoryBytes: server?.rss,
    exits: server ? 0 : 1,
    control,
    violations,
  });
}

function listed(counts: Counts): string {
  const names = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return names.length === 0 ? "none" : names.map(([name, times]) => `${name} ${number(times)}`).join(", ");
}

function total(counts: Counts): number {
  return Object.values(counts).reduce((sum, times) => sum + times, 0);
}

function number(value: number): string {
  return value.toLocaleString("en");
}
