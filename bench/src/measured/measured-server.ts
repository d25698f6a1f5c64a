import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { bunCommand } from "./bun-command.ts";
import type { FromServer, Orders, ToServer } from "./orders.ts";

/** The systems that have a server here. */
export type System = "tandem" | "socket.io" | "ws" | "bun";

/** Longest wait for an answer, in milliseconds. */
const PATIENCE_MS = 60_000;

export interface MeasuredOptions {
  /** Folder for its data. */
  readonly folder: string;
  /** Options of Node.js, such as `--expose-gc`. */
  readonly flags?: readonly string[];
  /** What its program is told beside the folder. */
  readonly args?: readonly string[];
}

/** A system's server in a process of its own, under orders of the benchmark. */
export class MeasuredServer {
  readonly system: System;
  readonly port: number;
  /** Rejects when the process fails or ends by itself. */
  readonly failed: Promise<never>;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #ids = 0;

  private constructor(system: System, port: number, child: ChildProcess) {
    this.system = system;
    this.port = port;
    this.#process = child;
    this.failed = new Promise((_, reject) => {
      child.on("message", (message: FromServer) => {
        if (message.kind === "failed") reject(new Error(`the server of ${system} failed: ${message.reason}`));
        if (message.kind !== "answer") return;
        this.#waiting.get(message.id)?.(message.answer);
        this.#waiting.delete(message.id);
      });
      child.once("exit", (code, signal) => reject(new Error(`the server of ${system} ended: ${code ?? signal}`)));
    });
    this.failed.catch(() => {});
  }

  static async start(system: System, { folder, flags = [], args = [] }: MeasuredOptions): Promise<MeasuredServer> {
    const file = fileURLToPath(new URL(`../servers/${system}.ts`, import.meta.url));
    const command = system === "bun" ? bunCommand() : process.execPath;
    if (command === undefined) throw new Error("there is no Bun for this machine");
    const child = spawn(command, [...(system === "bun" ? [] : flags), file, folder, ...args], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "json",
    });
    const gone = once(child, "exit").then(() => "gone" as const);
    const first = await Promise.race([once(child, "message"), gone]);
    const [message] = first === "gone" ? [] : (first as [FromServer]);
    if (message?.kind === "listening") return new MeasuredServer(system, message.port, child);
    child.kill("SIGKILL");
    throw new Error(`the server of ${system} did not start`);
  }

  /** Gives an order. @throws Error (by rejection) when the process failed, or left it unanswered */
  ask<N extends keyof Orders>(name: N, ...[order]: Orders[N]["order"] extends undefined ? [] : [Orders[N]["order"]]) {
    const id = ++this.#ids;
    const answered = new Promise<Orders[N]["answer"]>((resolve, reject) => {
      this.#waiting.set(id, resolve as (answer: unknown) => void);
      setTimeout(() => reject(new Error(`the server of ${this.system} did not answer ${name}`)), PATIENCE_MS).unref();
    });
    this.#tell({ kind: "order", id, name, order });
    return Promise.race([answered, this.failed]);
  }

  /** Every receiver has got so many publishes in all. */
  received(count: number): void {
    this.#tell({ kind: "received", count });
  }

  /** Ends it in good order, or kills it. */
  async end(): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return;
    const gone = once(this.#process, "exit");
    const late = setTimeout(() => this.#process.kill("SIGKILL"), PATIENCE_MS / 4);
    this.#tell({ kind: "order", id: 0, name: "end", order: undefined });
    await gone;
    clearTimeout(late);
  }

  #tell(message: ToServer): void {
    if (this.#process.connected) this.#process.send(message);
  }
}
