import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { freePort } from "../free-port.ts";
import type { Load, LoadResult } from "./load.ts";
import { publishLoad } from "./load.ts";
import { connectRedis, SCRIPT } from "./redis-publisher.ts";
import { channelOf, WORK } from "./work.ts";

/** What installs Debian's Redis. */
const INSTALL = ["apt-get", "install", "--yes", "--no-install-recommends", "redis-server"] as const;

/** Longest wait for a server that starts or stops, in milliseconds. */
const PATIENCE_MS = 10_000;

/** The path of Debian's Redis; installed when it is missing and this process may. `undefined`: there is none. */
export function findRedis(): string | undefined {
  const found = onPath("redis-server");
  if (found !== undefined || process.getuid?.() !== 0) return found;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const [command, ...args] = INSTALL;
  spawnSync(command, args, { stdio: "ignore", env });
  return onPath("redis-server");
}

function onPath(command: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, command))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** One round: a new Redis that syncs every write before it answers, the publishers, and a count of what it holds. */
export async function measureRedis(command: string, folder: string, channels: number, load: Load): Promise<LoadResult> {
  const port = await freePort();
  const options = {
    port,
    bind: "127.0.0.1",
    dir: folder,
    appendonly: "yes",
    appendfsync: "always",
    save: "",
    loglevel: "warning",
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  const gone = once(server, "exit");
  try {
    const sha =
      (await ask(port, `*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$${SCRIPT.length}\r\n${SCRIPT}\r\n`)).split("\r\n")[1] ??
      "";
    const result = await publishLoad(
      (index, events) => connectRedis(port, channelOf(index, channels), `producer:${index}`, sha, events),
      WORK.publishers,
      load,
    );
    let stored = 0;
    for (let channel = 0; channel < channels; channel++) {
      const name = channelOf(channel, channels);
      stored += Number((await ask(port, `*2\r\n$4\r\nXLEN\r\n$${name.length}\r\n${name}\r\n`)).slice(1));
    }
    if (stored !== result.published) throw new Error(`Redis acknowledged ${result.published} and holds ${stored}`);
    return result;
  } finally {
    server.kill("SIGKILL");
    await gone;
  }
}

/** One command's answer, tried until the server listens. */
async function ask(port: number, command: string): Promise<string> {
  for (const end = performance.now() + PATIENCE_MS; ; ) {
    try {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.end(command);
      const parts = await socket.setEncoding("latin1").toArray();
      return parts.join("").trim();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
