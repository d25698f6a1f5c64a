/** A worker process: works on the jobs of `desk:1`, page by page, until it is killed. Says what it is at. */
import { createClient, work } from "@tandem/client";
import type { desk } from "./desk.ts";
import { jobs } from "./desk.ts";

const { URL_OF_SERVER: url = "", TOKEN: token = "", NAME: name = "" } = process.env;
const client = createClient<typeof desk>({ url, token: () => token });
const say = (text: string) => process.stdout.write(`${text}\n`);

work(client.channel("desk", "1"), "jobs", jobs, {
  lease: 4_000,
  ticks: "ticks",
  run: async ({ job, input, signal, progress, log }) => {
    const { pages, ms } = input as { pages: number; ms: number };
    const { page: done = 0 } = (job.checkpoint ?? {}) as { page?: number };
    say(`took ${job.id} after page ${done}`);
    for (let page = done + 1; page <= pages; page++) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      signal.throwIfAborted();
      progress(page / pages, { step: `page ${page}`, checkpoint: { page } });
      log(`${name}: page ${page}`);
    }
    return { by: name, from: done };
  },
});
say("ready");
