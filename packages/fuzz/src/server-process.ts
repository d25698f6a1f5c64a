/**
 * The server that is fuzzed, in a process of its own: the real one, with its database, and a count of what comes in
 * around the node's `accept`. Started by `server.ts`; `--data DIR`, and for the fuzzer's own tests `--plant exit|stall|lose`.
 */
import { parseArgs } from "node:util";
import type { Encoded } from "@tandem/protocol";
import { decodeUntrusted, TandemError } from "@tandem/protocol";
import { nodeRuntime } from "@tandem/runtime/node";
import type { Server, Transport, TransportEvents } from "@tandem/server";
import { createServer } from "@tandem/server";
import { app, SECRET } from "./app.ts";
import { OWN_CONNECTIONS } from "./control.ts";
import { watchDecisions } from "./decisions.ts";
import type { Fault } from "./fault.ts";
import { plant } from "./fault.ts";
import type { Counts, FromServer, ServerReport } from "./reports.ts";
import { count } from "./reports.ts";
import { meterStalls } from "./stall.ts";

const { values } = parseArgs({ options: { data: { type: "string" }, plant: { type: "string" } } });
const accepted: Counts = {};
const refused: Counts = {};
const lines: Counts = {};
const decisions = watchDecisions(app);
const faults: string[] = [];
let frames = 0;
let connections = 0;
let rss = 0;

function tell(message: FromServer): void {
  process.send?.(message);
}

/** A line of log that names no noise, or an error of the server's own, is one that no client should be able to cause. */
function log(line: string): void {
  const { level, noise, message } = JSON.parse(line) as { level: string; noise?: string; message: string };
  count(lines, noise ?? message);
  if ((level === "error" || noise === undefined) && faults.length < 20) faults.push(line.trim());
}

function tally({ codec }: Transport, frame: Encoded, server: Server): void {
  frames++;
  try {
    for (const { message, error } of decodeUntrusted(codec, frame, server.node.limits)) {
      if (message) count(accepted, message.type);
      else count(refused, error.code);
    }
  } catch (error) {
    count(refused, error instanceof TandemError ? error.code : "not-a-tandem-error");
  }
}

function report(server: Server): ServerReport {
  return {
    frames,
    accepted,
    refused,
    decisions,
    stall: stalls(),
    rss,
    connections: server.connections,
    lines,
    faults,
  };
}

const most = 10_000_000;
const server = await createServer(app, {
  data: values.data ?? "./data",
  secret: SECRET,
  port: 0,
  maxConnections: 100_000,
  // Everyone comes from this machine: what is counted per address and user would count all of them as one.
  limits: {
    publishesPerUser: most,
    publishesPerAddress: most,
    signalsPerUser: most,
    signalsPerAddress: most,
    connectionsPerUser: 1_000_000,
    connectionsPerAddress: 1_000_000,
  },
  runtime: nodeRuntime({ level: "warn", to: { write: log } }),
});
const accept = server.node.accept.bind(server.node);
Object.defineProperty(server.node, "accept", {
  value(transport: Transport): TransportEvents {
    const own = ++connections <= OWN_CONNECTIONS;
    // Of the two control clients the second only reads: what it is not sent, it lacks.
    const reader = connections === OWN_CONNECTIONS;
    const events = accept(reader ? plant(transport, values.plant as Fault | undefined) : transport);
    if (own) return events;
    return {
      frame(frame) {
        tally(transport, frame, server);
        if (frames === 200) plant.now(values.plant as Fault | undefined);
        events.frame(frame);
      },
      beforeEnd: () => events.beforeEnd(),
      end: () => events.end(),
      closed: (code, reason) => events.closed(code, reason),
    };
  },
});
const stalls = meterStalls();
setInterval(() => {
  rss = Math.max(rss, process.memoryUsage.rss());
}, 100).unref();
process.on("message", (message) => {
  if (message === "report") tell({ kind: "report", report: report(server) });
});
process.on("disconnect", () => process.exit());
tell({ kind: "ready", port: (await server.listen()).port });
