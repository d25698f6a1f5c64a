import type { FromServer, Orders, PublishOrder, ToServer, Usage } from "./orders.ts";
import { Publishing } from "./publishing.ts";

/** A system that is measured, as its own process sees it. */
export interface Contender {
  readonly port: number;
  connections(): number;
  /** One publish to every subscriber of a channel, in the system's fastest way. */
  publish(channel: string, payload: object): unknown;
  /** Destroys every TCP connection without a word. */
  cut(): number;
  close(): unknown;
}

type Answers = {
  readonly [N in keyof Orders]: (order: Orders[N]["order"]) => Orders[N]["answer"] | Promise<Orders[N]["answer"]>;
};

/** Tells the benchmark that a system listens, and does what it orders until it is told to end. */
export function obey(contender: Contender): void {
  const tell = (report: FromServer): void => void process.send?.(report);
  const fail = (error: unknown): void => tell({ kind: "failed", reason: String(error) });
  const publishing = new Publishing((channel, payload) => contender.publish(channel, payload), fail);
  const usage = (): Usage => {
    const { user, system } = process.cpuUsage();
    return { cpuMicros: user + system, rssBytes: process.memoryUsage.rss(), connections: contender.connections() };
  };
  const answers: Answers = {
    usage,
    publish: (order: PublishOrder) => void publishing.begin(order),
    stop: () => publishing.stop(),
    collect() {
      // Twice: what the first one finalises, the second one frees.
      globalThis.gc?.();
      globalThis.gc?.();
      return usage();
    },
    cut: () => contender.cut(),
    async end() {
      await contender.close();
      setImmediate(() => process.exit());
    },
  };
  process.on("message", async (message: ToServer) => {
    if (message.kind === "received") return publishing.received(message.count);
    const { id, name, order } = message;
    try {
      tell({ kind: "answer", id, answer: await (answers[name] as (order: unknown) => unknown)(order) });
    } catch (error) {
      fail(error);
    }
  });
  // A server does not outlive the benchmark that started it.
  process.once("disconnect", () => process.exit());
  tell({ kind: "listening", port: contender.port });
}
