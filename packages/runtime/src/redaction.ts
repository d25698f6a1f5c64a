/** Fields whose value never goes into a log, by name, in any case. */
const SECRET =
  /^(token|access_token|jwt|ticket|secret|password|authorization|proxy-authorization|cookie|set-cookie|credentials?|private_?key)$/i;

/** Whatever its field is called: a JWT, a bearer token, and a producer's id (whoever has it can publish in its place). */
const SECRETS_IN_TEXT: readonly [RegExp, string][] = [
  [/\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g, "[token]"],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, "$1 [redacted]"],
  [/(?<![\w-])[0-9a-z]{8,10}-[A-Za-z0-9_-]{22}(?![\w-])/g, "[producer]"],
];

/** Characters that could rewrite a terminal or turn a line around. JSON escapes those below U+0020 by itself. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const REDACTED = "[redacted]";
const MOST_DEPTH = 6;
const MOST_ENTRIES = 64;
const MOST_TEXT = 4_096;

/**
 * The fields of a log line as they may be written: secrets out, errors as plain objects, texts short and without control
 * characters, and at most 6 levels of 64 entries, whatever was handed in.
 */
export function redact(fields: Record<string, unknown>): Record<string, unknown> {
  return redactObject(fields, 0);
}

/** A text as it may be written: secrets out, control characters escaped, at most 4,096 letters. */
export function redactText(text: string): string {
  let safe = text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}… (${text.length} letters)` : text;
  for (const [pattern, replacement] of SECRETS_IN_TEXT) safe = safe.replace(pattern, replacement);
  return safe.replace(UNSAFE, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MOST_DEPTH) return "[…]";
  if (value instanceof Error) return redactError(value, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.slice(0, MOST_ENTRIES).map((entry) => redactValue(entry, depth + 1));
  return redactObject(value, depth + 1);
}

function redactObject(object: object, depth: number): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object).slice(0, MOST_ENTRIES)) {
    safe[redactText(key)] = SECRET.test(key) ? REDACTED : redactValue(value, depth);
  }
  return safe;
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  return {
    type: error.name,
    message: redactText(error.message),
    ...("code" in error ? { code: redactValue(error.code, depth + 1) } : {}),
    stack: redactText(error.stack ?? ""),
    ...(error.cause === undefined ? {} : { cause: redactValue(error.cause, depth + 1) }),
  };
}
