import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Load } from "./load.ts";

const PEER = fileURLToPath(new URL("./sqlite-peer.ts", import.meta.url));

/** One round of the peer `sqlite`, on a new file. */
export async function measureSqlite(folder: string, channels: number, load: Load): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const args = [PEER, join(folder, "peer.db"), channels, load.warmUpMs, load.measureMs].map(String);
  const peer = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(peer, "exit");
  const output = (await peer.stdout.setEncoding("utf8").toArray()).join("");
  const [code] = await ended;
  if (code !== 0) throw new Error(`the peer sqlite ended with ${code}`);
  return (JSON.parse(output) as { publishesPerSecond: number }).publishesPerSecond;
}
