import { describe, expect, it } from "vitest";
import type { LogFormat, LogLevel } from "./node.ts";
import { createLogger } from "./node.ts";

/** What a logger wrote, and the logger. */
function logging(options: { level?: LogLevel; format?: LogFormat } = {}) {
  const lines: string[] = [];
  const logger = createLogger({ ...options, to: { write: (line: string) => void lines.push(line) } });
  return { lines, logger };
}

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl";
const PRODUCER = "mc3k2f8a-AbCdEfGhIjKlMnOpQrStUv";

describe("the logger of a Node.js process", () => {
  it("writes one JSON object a line, with level, time and message", () => {
    const { lines, logger } = logging();
    logger.info({ port: 8080 }, "listening");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      port: 8080,
      message: "listening",
    });
  });

  it("leaves out what is below its level", () => {
    const { lines, logger } = logging({ level: "warn" });
    logger.debug({}, "a");
    logger.info({}, "b");
    logger.warn({}, "c");
    expect(lines).toHaveLength(1);
  });

  it.each([
    ["a token by its name", { token: "abc-secret" }],
    ["an authorization header, deep inside", { request: { headers: { Authorization: "abc-secret" } } }],
    ["a secret in a list", { list: [{ secret: "abc-secret" }] }],
    ["a JWT in any text", { note: `came with ${JWT}` }],
    ["a producer's id under any name", { body: { producer: PRODUCER, other: `of ${PRODUCER}` } }],
    ["a JWT in an error's message and cause", { error: new Error(`bad ${JWT}`, { cause: new Error(PRODUCER) }) }],
    ["a token used as a key", { [JWT]: 1 }],
  ])("never writes %s", (_, fields) => {
    const { lines, logger } = logging();
    logger.info(fields, `message with ${JWT} and ${PRODUCER}`);
    expect(lines).toHaveLength(1);
    for (const secret of ["abc-secret", JWT, PRODUCER]) expect(lines[0]).not.toContain(secret);
  });

  it("keeps ids that are no producers", () => {
    const { lines, logger } = logging();
    logger.info({ channel: "room:42", user: "ann" }, "joined");
    expect(lines[0]).toContain("room:42");
    expect(lines[0]).toContain("ann");
  });

  it.each(["json", "pretty"] as const)("escapes control characters (%s)", (format) => {
    const { lines, logger } = logging({ format });
    logger.info({ name: "a\u001b[2Jb\u202ec\nd\u009b" }, "hello\n\u001b[31mred");
    expect(lines).toHaveLength(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
    expect((lines[0] ?? "").slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  it("bounds what it writes: length, depth and entries", () => {
    const { lines, logger } = logging();
    const circle: Record<string, unknown> = { long: "x".repeat(1_000_000) };
    circle.self = circle;
    for (let at = 0; at < 1_000; at++) circle[`key${at}`] = at;
    logger.info({ circle }, "y".repeat(1_000_000));
    expect((lines[0] ?? "").length).toBeLessThan(100_000);
  });

  it("writes noise once per kind", () => {
    const { lines, logger } = logging();
    for (let at = 0; at < 1_000; at++) logger.warn({ noise: "bad-frame" }, "a bad frame");
    logger.warn({ noise: "bad-origin" }, "a bad origin");
    logger.warn({}, "not noise");
    logger.warn({}, "not noise");
    expect(lines.map((line) => JSON.parse(line).noise)).toEqual(["bad-frame", "bad-origin", undefined, undefined]);
  });
});
