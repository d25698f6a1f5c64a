import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SHOWCASE = fileURLToPath(new URL("..", import.meta.url));
const VITE = fileURLToPath(new URL("../../../node_modules/vite/bin/vite.js", import.meta.url));
const COMMAND = fileURLToPath(new URL("../../server/src/main.ts", import.meta.url));

/** How long a server may take to be ready, in milliseconds. */
const PATIENCE = 30_000;

/** The real server in a process of its own, with the built page, on a free port and with a database of its own. */
export class ServerProcess {
  readonly url: string;
  readonly #folder: string;
  readonly #port: number;
  #process: ChildProcess | undefined;
  #said = "";

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.url = `http://localhost:${port}`;
  }

  /** Builds the page and starts the server. */
  static async start(): Promise<ServerProcess> {
    const folder = await mkdtemp(join(tmpdir(), "tandem-showcase-"));
    await buildPage(join(folder, "page"));
    const server = new ServerProcess(folder, await freePort());
    await server.restart();
    return server;
  }

  /** Starts the process again, on the same port and data. */
  async restart(): Promise<void> {
    const started = spawn(process.execPath, [COMMAND, "serve"], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH,
        TANDEM_CONFIG: join(SHOWCASE, "tandem.config.ts"),
        TANDEM_STATIC: join(this.#folder, "page"),
        TANDEM_DATA: join(this.#folder, "data"),
        TANDEM_PORT: String(this.#port),
        TANDEM_LOG_LEVEL: "warn",
      },
    });
    this.#process = started;
    this.#said = "";
    const hear = (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString()).slice(-4_000);
    };
    started.stdout?.on("data", hear);
    started.stderr?.on("data", hear);
    const until = Date.now() + PATIENCE;
    while (!(await this.#ready())) {
      if (started.exitCode !== null || Date.now() > until) throw new Error(`The server did not start: ${this.#said}`);
      await new Promise((again) => setTimeout(again, 50));
    }
  }

  /** Ends the process as a crash would, in the middle of what it does. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #ready(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/readyz`)).ok;
    } catch {
      // Nobody listens yet.
      return false;
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const running = this.#process;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill(signal);
    await ended;
  }
}

/** Builds the page as it is shipped: in a process that does not know of any test. */
async function buildPage(outDir: string): Promise<void> {
  const args = [VITE, "build", SHOWCASE, "--outDir", outDir, "--emptyOutDir", "--logLevel", "error"];
  const building = spawn(process.execPath, args, { stdio: "inherit", env: { PATH: process.env.PATH } });
  const code = await new Promise((resolve) => building.once("exit", resolve));
  if (code !== 0) throw new Error("The page could not be built.");
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
