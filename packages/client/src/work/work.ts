import type { AppDefinition, ChannelType, ModelName, ModelOf, SignalData, SignalName } from "@tandem/app";
import type { JobState } from "@tandem/model";
import type { Answer, Jobs, WorkOptions, WorkPorts } from "@tandem/model/work";
import { checkWorkOptions, JobWorker } from "@tandem/model/work";
import type { Channel } from "../channel.ts";
import type { Model } from "../model/model.ts";
import { model } from "../model/model.ts";
import type { Settled } from "../model/sent.ts";
import { signals } from "../presence/signals.ts";
import { Workshop } from "./workshop.ts";

export interface ClientWorkOptions<K extends string> extends WorkOptions {
  /** The kind of signal by which it tells of progress between checkpoints: declared with `JobTicksSchema`. Default: it does not. */
  readonly ticks?: K;
}

/**
 * Works on the jobs of a channel (a model `job()`), until the worker or the client is closed: over lost connections, as long as its leases last.
 *
 * @example
 * const worker = work(client.channel("desk", "1"), "jobs", jobs, {
 *   concurrency: 2,
 *   run: async ({ input, signal, progress }) => {
 *     for (let page = 1; page <= 100; page++) {
 *       await render(input, page, { signal });
 *       progress(page / 100, "render");
 *     }
 *     return { pages: 100 };
 *   },
 * });
 * @param definition the same that the channel's type declares
 * @throws RangeError on options that cannot be
 */
export function work<A extends AppDefinition, T extends ChannelType<A>, N extends ModelName<A, T>>(
  channel: Channel<A, T>,
  name: N,
  definition: ModelOf<A, T, N> & Jobs,
  options: ClientWorkOptions<SignalName<A, T>>,
): JobWorker {
  checkWorkOptions(options);
  const workshop = channel.ride(Workshop);
  // The types say that this model is one of jobs.
  const jobs = model(channel, name, definition) as unknown as Model<Jobs>;
  const { ticks } = options;
  const ticker = ticks === undefined ? undefined : signals(channel, ticks);
  const ports: WorkPorts = {
    runtime: workshop.runtime,
    model: name,
    jobs: () => {
      const state = jobs.state.get();
      return state.kind === "ready" ? (state.value as JobState) : undefined;
    },
    watch: (listener) => {
      const end = jobs.state.subscribe(listener);
      return () => {
        end();
        jobs.close();
        ticker?.close();
        workshop.leave(worker);
      };
    },
    send: (command, input) => jobs.send(command, input).settled.then(answerOf),
    tick: (told) => ticker?.send((told ?? null) as SignalData<A, T, SignalName<A, T>> | null),
  };
  const worker = new JobWorker(ports, options);
  workshop.enter(worker);
  return worker;
}

function answerOf(settled: Settled): Answer {
  if (settled.kind === "confirmed") return { kind: "done" };
  if (settled.kind === "unknown") return { kind: "unknown" };
  const { code = settled.error.code, after }: { code?: string; after?: number } = settled.reason ?? {};
  return { kind: "refused", code, after };
}
