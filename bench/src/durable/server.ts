/**
 * The server under test, a process of its own: Tandem as `createServer` makes it, with the SQLite log in a folder. Tells its port
 * once it listens; ends on SIGTERM and tells how much each commit held.
 *
 *     node bench/src/durable/server.ts FOLDER      (started with an IPC channel)
 */
import { join } from "node:path";
import { nodeRuntime } from "@tandem/runtime/node";
import { createServer, LOG_FILE } from "@tandem/server";
import { createSqliteLog } from "@tandem/server/sqlite";
import { UNLIMITED } from "../servers/limits.ts";
import { app } from "./app.ts";

/** What the server tells the benchmark. */
export type ServerReport =
  | { readonly kind: "listening"; readonly port: number }
  /** All commits of its life, and the CPU time that it took since it listened. */
  | { readonly kind: "stopped"; readonly commits: number; readonly cpuMicros: number };

const [folder = "."] = process.argv.slice(2);
const runtime = nodeRuntime({ level: "warn", format: "pretty" });
let commits = 0;
const log = await createSqliteLog({
  file: join(folder, LOG_FILE),
  runtime,
  // The committing thread answers everything that one commit stored in one message.
  onWorker: (worker, name) => {
    if (name === "writer")
      worker.on("message", ({ kind }: { readonly kind: string }) => void (kind === "replies" && commits++));
  },
});
const server = await createServer(app, { log, runtime, limits: UNLIMITED, port: 0 });
const { port } = await server.listen();
const tell = (report: ServerReport): void => void process.send?.(report);
const start = process.cpuUsage();
tell({ kind: "listening", port });
process.once("SIGTERM", async () => {
  const { user, system } = process.cpuUsage(start);
  await server.close();
  tell({ kind: "stopped", commits, cpuMicros: user + system });
  process.disconnect();
});
// A server does not outlive the benchmark that started it.
process.once("disconnect", () => process.exit());
