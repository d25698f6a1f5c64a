import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Fault } from "./fault.ts";
import type { FromServer, ServerReport } from "./reports.ts";

const FILE = fileURLToPath(new URL("server-process.ts", import.meta.url));

/** A server in a process of its own. */
export class FuzzedServer {
  readonly port: number;
  /** Resolves with a sentence when the process ends and nobody asked it to. */
  readonly died: Promise<string>;
  readonly #process: ChildProcess;
  readonly #data: string;
  #stopping = false;

  constructor(child: ChildProcess, port: number, data: string, errors: () => string) {
    this.#process = child;
    // Each look at it listens for its end.
    child.setMaxListeners(0);
    this.port = port;
    this.#data = data;
    this.died = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        if (!this.#stopping) resolve(`the server's process ended (${signal ?? code}): ${errors()}`);
      });
    });
  }

  /** What the process saw so far; undefined when it ended meanwhile. */
  report(): Promise<ServerReport | undefined> {
    if (!this.#process.connected) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const hear = (message: FromServer) => {
        if (message.kind !== "report") return;
        this.#process.off("message", hear);
        resolve(message.report);
      };
      this.#process.on("message", hear);
      this.#process.once("exit", () => resolve(undefined));
      this.#process.send("report");
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill("SIGKILL");
      await once(this.#process, "exit");
    }
    rmSync(this.#data, { recursive: true, force: true });
  }
}

/** @param fault done by the server on purpose, for the fuzzer's own tests */
export async function startServer(fault?: Fault): Promise<FuzzedServer> {
  const data = mkdtempSync(join(tmpdir(), "tandem-fuzz-"));
  const child = fork(FILE, ["--data", data, ...(fault ? ["--plant", fault] : [])], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let errors = "";
  child.stderr?.on("data", (text) => {
    errors = `${errors}${text}`.slice(-4_000);
  });
  const ready = once(child, "message") as Promise<[FromServer]>;
  const died = once(child, "exit").then(() => {
    throw new Error(`the server did not start: ${errors}`);
  });
  const [message] = await Promise.race([ready, died]);
  died.catch(() => {});
  if (message.kind !== "ready") throw new Error("the server said something else than that it is ready");
  return new FuzzedServer(child, message.port, data, () => errors);
}
