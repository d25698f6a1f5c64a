/** Length of every payload, as JSON. */
export const PAYLOAD_BYTES = 128;

const SEQ_DIGITS = 9;
const AT_DIGITS = 15;
const EMPTY = JSON.stringify({ seq: "0".repeat(SEQ_DIGITS), at: "0".repeat(AT_DIGITS), text: "" });
const TEXT = "x".repeat(PAYLOAD_BYTES - EMPTY.length);

/** Microseconds of a clock that all processes of a machine share, and that never jumps. */
export function clockMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/**
 * A payload of `PAYLOAD_BYTES` bytes of JSON with its number on its channel and the time at which it was made. Its digits stand at
 * fixed places, so that a receiver reads them without parsing.
 */
export function payloadOf(seq: number): { readonly seq: string; readonly at: string; readonly text: string } {
  return {
    seq: String(seq).padStart(SEQ_DIGITS, "0"),
    at: String(clockMicros()).padStart(AT_DIGITS, "0"),
    text: TEXT,
  };
}

/** What stands before the number of a payload, in JSON. */
const MARK = Buffer.from('"seq":"');
const AT = MARK.length + SEQ_DIGITS + '","at":"'.length;

/** The place of the next payload's mark in `[from, end)`, or -1. */
export function nextPayload(bytes: Buffer, from: number, end: number): number {
  if (end - from < PAYLOAD_BYTES - 1) return -1;
  const at = bytes.indexOf(MARK, from);
  return at < end ? at : -1;
}

/** Whether a payload's mark stands at a place. */
export function isPayload(bytes: Buffer, at: number): boolean {
  for (let index = 0; index < MARK.length; index++) if (bytes[at + index] !== MARK[index]) return false;
  return true;
}

/** The number of the payload whose mark stands at `at`. */
export function seqAt(bytes: Buffer, at: number): number {
  return digits(bytes, at + MARK.length, SEQ_DIGITS);
}

/** When the payload whose mark stands at `at` was made: see `clockMicros`. */
export function madeAt(bytes: Buffer, at: number): number {
  return digits(bytes, at + AT, AT_DIGITS);
}

function digits(bytes: Buffer, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at++) value = value * 10 + (bytes[at] ?? 0) - 48;
  return value;
}
