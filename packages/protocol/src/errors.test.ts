import { is } from "valibot";
import { describe, expect, it } from "vitest";
import type { ErrorCode } from "./errors.ts";
import { afterClose, closeCodeOf, ERRORS, isErrorCode, TandemError } from "./errors.ts";
import { DEFAULT_LIMITS, LimitsSchema } from "./limits.ts";
import { errorOf } from "./meanings.ts";

const codes = Object.keys(ERRORS) as ErrorCode[];

describe("the table of errors", () => {
  it("closes with a code that says what its entry says: retryable ones let the client come back, others do not", () => {
    for (const code of codes) {
      const close = closeCodeOf(code);
      if (close === undefined) continue;
      expect([code, afterClose(close) !== "stop"]).toEqual([code, ERRORS[code].retryable]);
    }
  });

  it("uses a close code for one meaning, but for the ways of not being admitted", () => {
    const uses = Map.groupBy(codes, (code) => closeCodeOf(code));
    const shared = [...uses].filter(([close, list]) => close !== undefined && list.length > 1).map(([close]) => close);
    expect(shared).toEqual([4401]);
  });

  it("has a sentence for each", () => {
    for (const code of codes) expect(errorOf(code).message).toMatch(/^[A-Z].*\.$/);
  });

  it("knows its codes, and not what every object has", () => {
    expect(isErrorCode("forbidden")).toBe(true);
    for (const other of ["constructor", "toString", "", "Forbidden"]) expect(isErrorCode(other)).toBe(false);
  });
});

describe("after a close", () => {
  it.each([
    [1000, "resume"],
    [1001, "resume"],
    [1006, "resume"],
    [1011, "resume"],
    [1002, "stop"],
    [1003, "stop"],
    [1007, "stop"],
    [1008, "stop"],
    [1009, "stop"],
    [4000, "resume"],
    [4099, "resume"],
    [4400, "stop"],
    [4499, "stop"],
    [4500, "wait"],
    [4599, "wait"],
  ])("%i means %s", (code, action) => {
    expect(afterClose(code)).toBe(action);
  });
});

describe("an error", () => {
  it("carries what helps to act on it", () => {
    const error = new TandemError("out-of-sequence", "Wait.", { expected: 3, retryAfter: 5, cause: "why" });
    expect(error).toMatchObject({
      code: "out-of-sequence",
      message: "Wait.",
      expected: 3,
      retryAfter: 5,
      retryable: true,
      cause: "why",
    });
    expect(errorOf("forbidden")).not.toHaveProperty("cause");
  });
});

describe("limits", () => {
  it("are within what a server may tell", () => {
    expect(is(LimitsSchema, DEFAULT_LIMITS)).toBe(true);
  });

  it("fit together: an event fits into a frame, and an outcome is kept for everything in flight", () => {
    expect(DEFAULT_LIMITS.eventBytes).toBeLessThan(DEFAULT_LIMITS.frameBytes);
    expect(DEFAULT_LIMITS.inFlight).toBeLessThanOrEqual(256);
    expect(is(LimitsSchema, { ...DEFAULT_LIMITS, inFlight: 257 })).toBe(false);
  });
});
