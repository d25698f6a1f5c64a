import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServerReport } from "./server.ts";

const SERVER = fileURLToPath(new URL("./server.ts", import.meta.url));

/** The process of the servers under test. */
export class Servers {
  readonly ports: { readonly tandem: number; readonly json: number };
  readonly #process: ChildProcess;
  readonly #gone: Promise<undefined>;

  private constructor(child: ChildProcess, gone: Promise<undefined>, ports: Servers["ports"]) {
    this.#process = child;
    this.#gone = gone;
    this.ports = ports;
  }

  /** Starts them, and fills the channel. @param flags of Node.js */
  static async start(folder: string, records: number, flags: readonly string[]): Promise<Servers> {
    const child = fork(SERVER, [folder, String(records)], { execArgv: [...flags] });
    const gone = once(child, "exit").then(() => undefined);
    const report = await told(child, gone);
    if (report.kind !== "ready") throw new Error("the servers did not start");
    return new Servers(child, gone, report);
  }

  /** Bytes that they have sent so far. */
  async sent(): Promise<{ readonly tandem: number; readonly json: number }> {
    const answer = told(this.#process, this.#gone);
    this.#process.send("sent");
    return answer;
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.disconnect();
    await this.#gone;
  }
}

async function told(child: ChildProcess, gone: Promise<undefined>): Promise<ServerReport> {
  const ended = new AbortController();
  const message = once(child, "message", { signal: ended.signal }).then(([report]) => report as ServerReport);
  message.catch(() => {});
  const report = await Promise.race([message, gone]);
  ended.abort();
  if (!report) throw new Error("the servers ended");
  return report;
}
