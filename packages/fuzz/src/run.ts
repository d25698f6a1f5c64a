import { mintProducer } from "@tandem/protocol";
import { mintToken } from "@tandem/server";
import { ADMIN_GRANTS, GRANTS, SECRET } from "./app.ts";
import type { Target, Told } from "./attack.ts";
import { attack } from "./attack.ts";
import { Control, OWN_CONNECTIONS } from "./control.ts";
import { loadCorpus } from "./corpus.ts";
import type { Fault } from "./fault.ts";
import type { ServerReport } from "./reports.ts";
import type { Script, Supplies } from "./script.ts";
import { scriptOf } from "./script.ts";
import type { FuzzedServer } from "./server.ts";
import { startServer } from "./server.ts";

/** Users that hostile clients are, and how many of them are admins where there is something to be one of: each eighth. */
const USERS = 64;
const ADMINS = 8;
/** Longest stall of the server's event loop, in milliseconds (G12). */
const MOST_STALL = 200;
/** Milliseconds in which the server has let go of every hostile connection, after the last. */
const LET_GO = 15_000;
/** Most memory of the server's process, in bytes (G12). */
const MOST_MEMORY = 1_500_000_000;
/** Violations that are told. */
const MOST_VIOLATIONS = 50;
/** Scripts that are remembered, to be shown when something breaks. */
const REMEMBERED = 24;

export interface RunOptions {
  readonly frames: number;
  readonly seed: number;
  /** Only this script. */
  readonly script?: number | undefined;
  readonly connections: number;
  readonly fault?: Fault | undefined;
  /** Milliseconds of stall that are a violation, default 200. */
  readonly mostStall?: number;
  /** Told how many frames were read so far, about once a second. */
  readonly progress?: (frames: number) => void;
}

/** What came of a run. */
export interface Outcome {
  readonly seed: number;
  /** Mutated frames that the server has read. */
  readonly frames: number;
  readonly scripts: number;
  readonly seconds: number;
  readonly told: Told;
  readonly server: ServerReport | undefined;
  /** Events that the control clients published, had acknowledged, and both read. */
  readonly control: number;
  readonly violations: readonly string[];
  /** The scripts that were under way or just over when the first violation was seen, newest last. */
  readonly suspects: readonly { readonly number: number; readonly script: Script }[];
}

/** Fuzzes a server of its own until `frames` mutated frames were read, or something broke. */
export async function run(options: RunOptions): Promise<Outcome> {
  const server = await startServer(options.fault);
  try {
    return await fuzz(server, options);
  } finally {
    await server.stop();
  }
}

async function fuzz(server: FuzzedServer, options: RunOptions): Promise<Outcome> {
  const { seed, connections, mostStall = MOST_STALL } = options;
  const corpus = loadCorpus();
  const supplies = await suppliesOf();
  const violations: string[] = [];
  const recent: { readonly number: number; readonly script: Script }[] = [];
  let suspects: typeof recent = [];
  let dead = false;
  const fault = (sentence: string): void => {
    if (violations.length === 0) suspects = [...recent];
    if (violations.length < MOST_VIOLATIONS && !violations.includes(sentence)) violations.push(sentence);
  };
  void server.died.then((sentence) => {
    dead = true;
    fault(sentence);
  });
  const told: Told = { connections: 0, closes: {}, codes: {}, messages: {} };
  const token = (user: number) => supplies.tokens[user % USERS] ?? "";
  const target: Target = { port: server.port, told, token, fault };
  const control = await Control.start(server.port, fault);
  const start = performance.now();
  const first = options.script ?? 0;
  let next = first;
  let frames = 0;
  const more = () =>
    violations.length === 0 && (options.script === undefined ? frames < options.frames : next === first);

  async function worker(): Promise<void> {
    while (more()) {
      const number = next++;
      const script = scriptOf(corpus, supplies, seed, number);
      recent.push({ number, script });
      if (recent.length > connections + REMEMBERED) recent.shift();
      const read = await attack(target, script);
      frames += read;
    }
  }

  async function look(): Promise<ServerReport | undefined> {
    const report = dead ? undefined : await server.report();
    for (const sentence of report ? faultsOf(report, mostStall) : []) fault(sentence);
    return report;
  }

  const beat = setInterval(() => {
    options.progress?.(frames);
    void look();
  }, 1_000);
  const failed = (error: Error) => fault(`the fuzzer itself failed: ${error.stack}`);
  await Promise.all(Array.from({ length: connections }, () => worker().catch(failed)));
  clearInterval(beat);
  const seconds = (performance.now() - start) / 1_000;
  for (let waited = 0; (await look())?.connections !== OWN_CONNECTIONS && !dead; waited += 100) {
    if (waited >= LET_GO) {
      fault("the server did not let go of every hostile connection");
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await (dead ? control.abandon() : control.finish());
  const report = await look();
  return {
    seed,
    frames,
    scripts: next - first,
    seconds,
    told,
    server: report,
    control: control.served,
    violations,
    suspects,
  };
}

function faultsOf({ stall, rss, faults }: ServerReport, mostStall: number): string[] {
  const found = faults.map((line) => `the server logged what no client should be able to cause: ${line}`);
  if (stall.own > mostStall) found.push(`the server's event loop stood still for over ${mostStall} ms`);
  if (rss > MOST_MEMORY) found.push(`the server took over ${MOST_MEMORY} bytes of memory`);
  return found;
}

async function suppliesOf(): Promise<Supplies> {
  const tokens = await Promise.all(
    Array.from({ length: USERS }, (_, at) =>
      mintToken({
        secret: SECRET,
        user: `user-${at}`,
        grants: (at % ADMINS === 0 ? ADMIN_GRANTS : GRANTS) as never,
        lifetime: 86_400_000,
      }),
    ),
  );
  const [minted = ""] = mintProducer(Date.now(), "x").split("-");
  return { tokens, minted };
}
