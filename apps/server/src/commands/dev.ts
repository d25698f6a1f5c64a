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

/**
 * Runs `tandem serve` in a process of its own, and starts it anew when a file of the app definition changes. Clients come back
 * by themselves with their positions and their queues, so that nobody loses anything. A definition with a mistake is
 * told, and the running server stays.
 */
export async function dev(args: readonly string[], environment: Environment, output: Output): Promise<void> {
  const env = { TANDEM_DRAIN_MS: DRAIN_MS, ...environment };
  const watched = new Map<string, FSWatcher>();
  let server: ChildProcess | undefined;
  let port: number | undefined;
  let settle: NodeJS.Timeout | undefined;
  let stopping = false;
  let busy = false;
  let again = false;

  const run = (more: readonly string[]) =>
    fork(MAIN, ["serve", ...args, ...more], {
      env: env as NodeJS.ProcessEnv,
      stdio: ["inherit", "inherit", "inherit", "ipc"],
    });

  const start = () => {
    // A port that was free the first time (port 0) stays this server's: clients come back to it.
    server = run(port === undefined ? [] : ["--port", String(port)]);
    const started = server;
    started.on("message", (message: { files: string[]; port: number }) => {
      port = message.port;
      for (const file of message.files) follow(file);
    });
    started.on("exit", (code) => {
      if (started !== server) return;
      server = undefined;
      if (stopping || busy) return;
      if (watched.size === 0) return end(new CommandError("The server did not start.", code ?? 1));
      output.note("The server ended. It is started again when a file of the definition changes.");
    });
  };

  const follow = (file: string) => {
    if (watched.has(file)) return;
    // The folder is watched, not the file: editors put a new file in its place.
    const watcher = watch(dirname(file), (_, name) => {
      if (name !== basename(file)) return;
      clearTimeout(settle);
      settle = setTimeout(() => void reload(), SETTLE);
    });
    watched.set(file, watcher);
  };

  const reload = async () => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    do {
      again = false;
      // The check says on standard error what is wrong, and "right" on standard output, which is not shown.
      const check = fork(MAIN, ["serve", ...args, "--check"], {
        env: env as NodeJS.ProcessEnv,
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      });
      if ((await exitOf(check)) !== 0) {
        output.note("The definition was not taken: the server goes on with the one before.");
        continue;
      }
      output.note("The definition has changed: starting anew.");
      if (server) {
        const old = exitOf(server);
        server.kill("SIGTERM");
        await old;
      }
      if (!stopping) start();
    } while (again && !stopping);
    busy = false;
  };

  let end: (error?: CommandError) => void = () => {};
  const ended = new Promise<void>((resolve, reject) => {
    end = (error) => (error ? reject(error) : resolve());
  });
  const onSignal = () => {
    stopping = true;
    clearTimeout(settle);
    for (const watcher of watched.values()) watcher.close();
    if (!server) return end();
    server.once("exit", () => end());
    // Not by a signal: Ctrl+C has sent the server one already, and a second would end it at once.
    if (server.connected) server.disconnect();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  start();
  await ended;
}

function exitOf(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
}
