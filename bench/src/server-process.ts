import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const COMMAND = fileURLToPath(new URL("../../apps/server/src/main.ts", import.meta.url));

/** Longest wait for a server that starts or stops in good order, in milliseconds. */
const PATIENCE_MS = 30_000;

export interface ServerProcessOptions {
  readonly port: number;
  /** Folder of the database. */
  readonly data: string;
  /** The app definition's file. */
  readonly config: string;
}

/** `tandem serve` in a process of its own, on one port and one data folder however often it is killed and started. */
export class ServerProcess {
  readonly #options: ServerProcessOptions;
  #process: ChildProcess | undefined;

  constructor(options: ServerProcessOptions) {
    this.#options = options;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#options.port}/ws`;
  }

  /** Resolves when it listens. @throws Error when it does not come up */
  async start(): Promise<void> {
    const { port, data, config } = this.#options;
    const args = ["serve", "--host", "127.0.0.1", "--port", String(port), "--data", data, "--config", config];
    const server = fork(COMMAND, args, { env: environment(), stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.#process = server;
    const ready = once(server, "message").then(() => "ready" as const);
    const first = await Promise.race([ready, gone(server), after(PATIENCE_MS)]);
    if (first === "ready") return;
    server.kill("SIGKILL");
    throw new Error(first === "late" ? "the server did not start in time" : "the server ended while it started");
  }

  /** Kills it on the spot (SIGKILL). Resolves when it is gone. */
  async kill(): Promise<void> {
    const server = this.#process;
    this.#process = undefined;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = gone(server);
    server.kill("SIGKILL");
    await ended;
  }

  /** Asks it to end in good order (SIGTERM). @throws Error when it does not */
  async stop(): Promise<void> {
    const server = this.#process;
    if (!server) return;
    const ended = gone(server);
    server.kill("SIGTERM");
    if ((await Promise.race([ended, after(PATIENCE_MS)])) !== "late") {
      this.#process = undefined;
      return;
    }
    await this.kill();
    throw new Error("the server did not stop in time");
  }
}

/** No bound on how fast its few clients publish. */
const RATES = {
  TANDEM_LIMIT_PUBLISHES_PER_CONNECTION: "10000000",
  TANDEM_LIMIT_PUBLISHES_PER_USER: "10000000",
  TANDEM_LIMIT_PUBLISHES_PER_ADDRESS: "10000000",
};

/** This process's environment without settings of Tandem but these: a run does not depend on who starts it. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("TANDEM_") && name !== "NODE_ENV");
  return { ...Object.fromEntries(own), TANDEM_LOG_LEVEL: "error", ...RATES };
}

async function gone(server: ChildProcess): Promise<"gone"> {
  if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
  return "gone";
}

function after(ms: number): Promise<"late"> {
  return new Promise((resolve) => setTimeout(() => resolve("late"), ms).unref());
}
