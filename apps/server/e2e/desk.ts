import { channel, defineApp } from "@tandem/app";
import { JobTicksSchema, job } from "@tandem/model";

/** What the server of the jobs' proof declares, its workers and its clients alike. */
export const jobs = job({ lease: 4_000, grace: 2_000 });

export const desk = defineApp({
  channels: { desk: channel({ events: {}, models: { jobs }, signals: { ticks: JobTicksSchema } }) },
});
