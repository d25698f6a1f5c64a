/** One publisher's way to a system. What it has published is acknowledged in order. */
export interface Publisher {
  /** Publishes so many, in as few writes as can be. */
  publish(count: number): void;
  close(): Promise<void>;
}

export interface PublisherEvents {
  /** So many publishes were acknowledged as durable. */
  acknowledged(count: number): void;
  /** The system refused a publish, or went away: the measurement is void. */
  failed(error: Error): void;
}

export interface Load {
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Longest wait for the last acknowledgements, in milliseconds. Default 10,000. */
  readonly drainMs?: number;
}

export interface LoadResult {
  readonly publishesPerSecond: number;
  /** All that was published from the first to the last, each acknowledged. */
  readonly published: number;
  /** Share of one core that the load took while it measured: near 1, it measures itself. */
  readonly loadCpu: number;
}

const DRAIN_MS = 10_000;

/**
 * Keeps `inFlight` publishes of each publisher under way, and counts what is acknowledged between warm-up and end. Then waits
 * for every last acknowledgement.
 *
 * @throws Error when a publisher failed, or an acknowledgement did not come
 */
export async function publishLoad(
  connect: (index: number, events: PublisherEvents) => Promise<Publisher>,
  publishers: number,
  load: Load,
): Promise<LoadResult> {
  let acknowledged = 0;
  let published = 0;
  let flowing = true;
  let drained = (): void => {};
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const open: Publisher[] = [];
  const send = (publisher: Publisher | undefined, count: number): void => {
    published += count;
    publisher?.publish(count);
  };
  const measure = async (): Promise<LoadResult> => {
    for (let index = 0; index < publishers; index++) {
      const events: PublisherEvents = {
        acknowledged(count) {
          acknowledged += count;
          if (flowing) send(open[index], count);
          else if (acknowledged === published) drained();
        },
        failed: (error) => fail(error),
      };
      open.push(await connect(index, events));
    }
    for (const publisher of open) send(publisher, load.inFlight);
    await pause(load.warmUpMs);
    const start = { time: performance.now(), cpu: process.cpuUsage(), acknowledged };
    await pause(load.measureMs);
    const seconds = (performance.now() - start.time) / 1000;
    const cpu = process.cpuUsage(start.cpu);
    const publishesPerSecond = (acknowledged - start.acknowledged) / seconds;
    const loadCpu = (cpu.user + cpu.system) / 1e6 / seconds;
    await new Promise<void>((resolve, reject) => {
      drained = resolve;
      flowing = false;
      if (acknowledged === published) resolve();
      setTimeout(
        () => reject(new Error(`${published - acknowledged} publishes were never acknowledged`)),
        load.drainMs ?? DRAIN_MS,
      ).unref();
    });
    return { publishesPerSecond, published, loadCpu };
  };
  try {
    return await Promise.race([measure(), failed]);
  } finally {
    await Promise.all(open.map((publisher) => publisher.close()));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
