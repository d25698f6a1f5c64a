import { TandemError } from "./errors.ts";

/** Keys that reach into the prototypes of careless code. No message may hold them. */
const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Looks through a decoded value from outside and counts its keys. Refused: nesting over `depth`, keys that reach into
 * prototypes, numbers that JSON cannot carry, texts with NUL or lone surrogates. Walks with a list of its own: no
 * nesting can overflow the stack.
 *
 * @returns the number of object keys; where the text held more, one was given twice
 * @throws TandemError `too-deep` or `bad-message`
 */
export function inspect(value: unknown, depth: number): number {
  let keys = 0;
  let level: unknown[] = [value];
  for (let deep = 0; level.length > 0; deep++) {
    if (deep > depth) throw new TandemError("too-deep", `A message is nested deeper than ${depth}.`);
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item === "string") inspectText(item);
      else if (typeof item === "number") inspectNumber(item);
      else if (Array.isArray(item)) for (const entry of item) next.push(entry);
      else if (typeof item === "object" && item !== null) {
        inspectPrototype(item);
        for (const [key, entry] of Object.entries(item)) {
          keys++;
          if (FORBIDDEN.has(key)) throw new TandemError("bad-message", `A message may not hold a key named ${key}.`);
          inspectText(key);
          next.push(entry);
        }
      }
    }
    level = next;
  }
  return keys;
}

/** The object keys in a value that `inspect` refuses. No nesting can overflow the stack here either. */
export function countKeys(value: unknown): number {
  let keys = 0;
  for (const left = [value]; left.length > 0; ) {
    const item = left.pop();
    if (Array.isArray(item)) for (const entry of item) left.push(entry);
    else if (typeof item === "object" && item !== null && !ArrayBuffer.isView(item)) {
      for (const entry of Object.values(item)) {
        keys++;
        left.push(entry);
      }
    }
  }
  return keys;
}

/** MessagePack carries more than JSON does (bytes, times): such values stand only where a message declares them. */
function inspectPrototype(item: object): void {
  if (Object.getPrototypeOf(item) !== Object.prototype) {
    throw new TandemError("bad-message", "A message may hold objects, lists, texts, numbers, booleans and null only.");
  }
}

function inspectText(text: string): void {
  if (text.includes("\0")) throw new TandemError("bad-message", "A message may not hold the character NUL.");
  if (!text.isWellFormed()) throw new TandemError("bad-message", "A message may not hold half of a surrogate pair.");
}

function inspectNumber(value: number): void {
  if (!Number.isFinite(value)) throw new TandemError("bad-message", "A message holds a number that is out of range.");
}
