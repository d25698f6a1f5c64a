import { expect, it } from "vitest";
import { quiet } from "./quiet.ts";
import { silentLogger } from "./runtime.ts";

it("tells after the interval how many lines were left out", () => {
  let now = 0;
  const written: Record<string, unknown>[] = [];
  const logger = quiet({ ...silentLogger, warn: (fields) => void written.push(fields) }, () => now, 10_000);
  for (let at = 0; at < 50; at++) logger.warn({ noise: "flood" }, "");
  now = 9_999;
  logger.warn({ noise: "flood" }, "");
  now = 10_000;
  logger.warn({ noise: "flood" }, "");
  expect(written).toEqual([{ noise: "flood" }, { noise: "flood", suppressed: 50 }]);
});

it("keeps a bounded number of kinds", () => {
  let written = 0;
  const logger = quiet({ ...silentLogger, warn: () => void written++ }, () => 0);
  for (let at = 0; at < 10_000; at++) logger.warn({ noise: `kind ${at}` }, "");
  expect(written).toBeLessThanOrEqual(257);
});
