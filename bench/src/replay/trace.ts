import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import * as v from "valibot";

/** Position in code points, code points deleted there, text inserted there. */
const PatchSchema = v.tuple([
  v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  v.string(),
]);

const TraceSchema = v.object({
  kind: v.optional(v.string()),
  startContent: v.optional(v.string(), ""),
  endContent: v.string(),
  txns: v.array(v.object({ patches: v.array(PatchSchema) })),
});

export type Patch = v.InferOutput<typeof PatchSchema>;

/** A recorded editing session: its transactions in order lead from the start's text to the end's. */
export interface Trace {
  readonly startContent: string;
  /** The text after all transactions. */
  readonly endContent: string;
  readonly transactions: readonly (readonly Patch[])[];
}

/** A trace that this command cannot replay; the message tells people why. */
export class TraceError extends Error {
  override readonly name = "TraceError";
}

/**
 * Reads a sequential trace, as JSON or as gzip of it.
 *
 * @throws TraceError when the file cannot be read, is no trace, or is a concurrent one
 */
export function readTrace(file: string): Trace {
  let text: string;
  try {
    const bytes = readFileSync(file);
    text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString("utf8");
  } catch (error) {
    throw new TraceError(`The trace ${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  return parseTrace(text, file);
}

/** The trace in a text. @throws TraceError as `readTrace` does */
export function parseTrace(text: string, file: string): Trace {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new TraceError(`The trace ${file} is not JSON.`);
  }
  const parsed = v.safeParse(TraceSchema, json);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new TraceError(
      `The file ${file} is not an editing trace: ${v.getDotPath(issue) ?? "root"}: ${issue.message}`,
    );
  }
  const { kind, startContent, endContent, txns } = parsed.output;
  if (kind === "concurrent") {
    throw new TraceError(
      `${file} is a concurrent trace: its transactions have to be merged, which comes with Tandem's documents. Replay a sequential one.`,
    );
  }
  return { startContent, endContent, transactions: txns.map(({ patches }) => patches) };
}
