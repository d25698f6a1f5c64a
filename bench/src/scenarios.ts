import { commands } from "./commands/scenario.ts";
import { crowd } from "./crowd/scenario.ts";
import { durable } from "./durable/scenario.ts";
import { fanOut } from "./fan-out/scenario.ts";
import { latency } from "./latency/scenario.ts";
import { memory } from "./memory/scenario.ts";
import { records } from "./records/scenario.ts";
import type { Scenario } from "./scenario.ts";
import { size } from "./size/scenario.ts";
import { slow } from "./slow/scenario.ts";
import { storm } from "./storm/scenario.ts";

/** Every benchmark by its name. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  commands,
  crowd,
  durable,
  "fan-out": fanOut,
  latency,
  memory,
  records,
  size,
  slow,
  storm,
};
