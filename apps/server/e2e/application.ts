import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const MODULES = fileURLToPath(new URL("../../../node_modules", import.meta.url));

export const DEFINITION = `
import { channel, defineApp } from "@tandem/app";
import * as v from "valibot";

export default defineApp({
  channels: { room: channel({ events: { message: v.object({ text: v.string() }) } }) },
});
`;

/** What a command that has ended said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** A command that runs. */
export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  out = "";
  err = "";

  constructor(args: readonly string[], cwd: string, env: Record<string, string>, input?: string) {
    this.child = spawn(process.execPath, [MAIN, ...args], { cwd, env: { PATH: process.env.PATH ?? "", ...env } });
    this.child.stdout?.on("data", (data) => {
      this.out += data;
    });
    this.child.stderr?.on("data", (data) => {
      this.err += data;
    });
    this.child.stdin?.end(input);
    this.ended = new Promise((resolve) => {
      this.child.on("close", (code, signal) => resolve({ code, signal, out: this.out, err: this.err }));
    });
  }

  /** Waits until `pattern` stands in what it said. @throws Error when it ended before */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.out + this.err);
      if (match) return match;
      const over = await Promise.race([
        this.ended,
        new Promise<undefined>((look) => setTimeout(() => look(undefined), 20)),
      ]);
      if (over && !pattern.test(this.out + this.err))
        throw new Error(`It ended with ${over.code} before it said ${pattern}: ${over.out}${over.err}`);
    }
  }
}

/** An application's folder, as a user of Tandem has it, and the commands run in it. */
export class ApplicationFolder {
  readonly folder = mkdtempSync(join(tmpdir(), "tandem-command-"));
  readonly env: Record<string, string> = { TANDEM_PORT: "0" };
  readonly #running: Running[] = [];

  constructor(definition = DEFINITION) {
    symlinkSync(MODULES, join(this.folder, "node_modules"));
    this.write("tandem.config.ts", definition);
  }

  write(file: string, text: string): string {
    const path = join(this.folder, file);
    writeFileSync(path, text);
    return path;
  }

  start(args: readonly string[], env: Record<string, string> = {}, input?: string): Running {
    const running = new Running(args, this.folder, { ...this.env, ...env }, input);
    this.#running.push(running);
    return running;
  }

  /** Runs a command to its end. */
  run(args: readonly string[], env?: Record<string, string>, input?: string): Promise<Ended> {
    return this.start(args, env, input).ended;
  }

  /** Starts a server and waits until it listens. From now on commands find it, with a token of ada's. */
  async serve(...args: string[]): Promise<Running> {
    const server = this.start(["serve", "--json", ...args]);
    const [, line = ""] = await server.said(/^(\{.*\})\n/m);
    const { socket, port } = JSON.parse(line) as { socket: string; port: number };
    this.env.TANDEM_URL = socket;
    // The next start takes the same port, as a server that is started again does.
    this.env.TANDEM_PORT = String(port);
    this.env.TANDEM_TOKEN ??= (await this.run(["token", "--user", "ada"])).out.trim();
    return server;
  }

  async remove(): Promise<void> {
    for (const { child } of this.#running) child.kill("SIGKILL");
    await Promise.all(this.#running.map((running) => running.ended));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
