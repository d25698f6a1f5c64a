import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import type { FSWatcher } from "node:fs";
import { watch } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "@tandem/server";
import { CommandError } from "../exit.ts";
import type { Output } from "../output.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

/** Editors write a file in several steps: changes within this many milliseconds are one. */
const SETTLE = 100;

/** While developing, clients need no spread: the next server is there at once. */
const DRAIN_MS = "600";

/** What a server that was started by this one tells: where it listens, and which files its definition is made of. */
interface Started {
  readonly port: number;
  readonly files: readonly string[];
}

/**
 * Runs `tandem serve` in a process of its own, and starts it anew when a file of the app definition changes. Clients come back
 * by themselves with their positions and their queues, so that nobody loses anything. A definition with a mistake is
 * told, and the running server stays.
 *
 * @param args what `tandem serve` is to be given
 */
export async function dev(args: readonly string[], environment: Environment, output: Output): Promise<void> {
  const server = new DevelopmentServer(args, { TANDEM_DRAIN_MS: DRAIN_MS, ...environment }, output);
  process.on("SIGTERM", () => server.stop());
  process.on("SIGINT", () => server.stop());
  await server.ended;
}

class DevelopmentServer {
  /** Resolves once it was stopped; rejects when the first start failed. */
  readonly ended: Promise<void>;
  readonly #args: readonly string[];
  readonly #environment: Environment;
  readonly #output: Output;
  readonly #watchers = new Map<string, FSWatcher>();
  #server: ChildProcess | undefined;
  #port: number | undefined;
  #settle: NodeJS.Timeout | undefined;
  #state: "running" | "replacing" | "stopping" = "running";
  #changedAgain = false;
  #end: (error?: CommandError) => void = () => {};

  constructor(args: readonly string[], environment: Environment, output: Output) {
    this.#args = args;
    this.#environment = environment;
    this.#output = output;
    this.ended = new Promise((resolve, reject) => {
      this.#end = (error) => (error ? reject(error) : resolve());
    });
    this.#start();
  }

  /** Ends the server in good order, and this with it. */
  stop(): void {
    if (this.#state === "stopping") return;
    this.#state = "stopping";
    clearTimeout(this.#settle);
    for (const watcher of this.#watchers.values()) watcher.close();
    if (!this.#server) return this.#end();
    this.#server.once("exit", () => this.#end());
    // Not by a signal: Ctrl+C has sent the server one already.
    if (this.#server.connected) this.#server.disconnect();
  }

  #serve(more: readonly string[], stdout: "inherit" | "ignore"): ChildProcess {
    const env = this.#environment as NodeJS.ProcessEnv;
    return fork(MAIN, ["serve", ...this.#args, ...more], { env, stdio: ["ignore", stdout, "inherit", "ipc"] });
  }

  #start(): void {
    // A port that was free the first time (port 0) stays this server's: clients come back to it.
    const server = this.#serve(this.#port === undefined ? [] : ["--port", String(this.#port)], "inherit");
    this.#server = server;
    server.on("message", ({ port, files }: Started) => {
      this.#port = port;
      for (const file of files) this.#watch(file);
    });
    server.on("exit", (code) => {
      if (this.#server === server) this.#server = undefined;
      if (this.#state !== "running") return;
      if (this.#port === undefined) return this.#end(new CommandError("The server did not start.", code ?? 1));
      this.#output.note("The server ended. It is started again when the definition changes.");
    });
  }

  #watch(file: string): void {
    if (this.#watchers.has(file)) return;
    // The folder is watched, not the file: editors put a new file in its place.
    const watcher = watch(dirname(file), (_, name) => {
      if (name !== basename(file)) return;
      clearTimeout(this.#settle);
      this.#settle = setTimeout(() => void this.#changed(), SETTLE);
    });
    this.#watchers.set(file, watcher);
  }

  async #changed(): Promise<void> {
    this.#changedAgain = this.#state === "replacing";
    if (this.#state !== "running") return;
    this.#state = "replacing";
    do {
      this.#changedAgain = false;
      await this.#replace();
    } while (this.#changedAgain);
    if (!this.#isStopping()) this.#state = "running";
  }

  async #replace(): Promise<void> {
    // The check says on standard error what is wrong.
    const code = await exitOf(this.#serve(["--check"], "ignore"));
    if (this.#isStopping()) return;
    if (code !== 0) return this.#output.note("The definition was not taken: the server goes on with the one before.");
    this.#output.note("The definition has changed: starting anew.");
    if (this.#server) {
      this.#server.kill("SIGTERM");
      await exitOf(this.#server);
    }
    if (!this.#isStopping()) this.#start();
  }

  #isStopping(): boolean {
    return this.#state === "stopping";
  }
}

function exitOf(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode ?? 1);
  return new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
}
