/** Length of every payload, as JSON. */
export const PAYLOAD_BYTES = 128;

/** Numbers that each source has: see `payloadOf`. */
const PER_SOURCE = 10_000_000;

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
 *
 * @param source where several publish to one channel: who of them, from 0 to 99. Each numbers its own from 1
 */
export function payloadOf(
  seq: number,
  source = 0,
): { readonly seq: string; readonly at: string; readonly text: string } {
  return {
    seq: String(source * PER_SOURCE + seq).padStart(SEQ_DIGITS, "0"),
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

/** Source and number of the payload whose mark stands at `at`, as one number. */
export function numberAt(bytes: Buffer, at: number): number {
  return digits(bytes, at + MARK.length, SEQ_DIGITS);
}

export function sourceOf(number: number): number {
  return Math.floor(number / PER_SOURCE);
}

export function seqOf(number: number): number {
  return number % PER_SOURCE;
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
