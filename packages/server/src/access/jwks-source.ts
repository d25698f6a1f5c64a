import { open } from "node:fs/promises";
import type { Runtime } from "@tandem/runtime";
import type { JSONWebKeySet } from "jose";

/** Most bytes of a key set. */
const MAX_BYTES = 262_144;
/** Most keys of a key set. */
const MAX_KEYS = 64;
/** Milliseconds in which a fetch must be over. */
const FETCH_TIMEOUT = 5_000;

/** Where a key set comes from. */
export interface JwksSource {
  /** For people: the address or the file. */
  readonly place: string;
  /** Milliseconds after which the keys are looked up again. */
  readonly maxAge: number;
  /** Least milliseconds between two look-ups. */
  readonly coolDown: number;
  /** @returns the key set, or `undefined` when it is the one that was read last. Rejects when it cannot be had. */
  load(): Promise<JSONWebKeySet | undefined>;
}

/**
 * The key set at an address: looked up again every ten minutes, and for an unknown key at most every 30 seconds.
 *
 * @throws RangeError unless the address is https, or http on this machine
 */
export function jwksUrl(address: string, runtime: Pick<Runtime, "timer">): JwksSource {
  const url = URL.parse(address);
  if (!url) throw new RangeError("The address of the key set (JWKS) is not a URL.");
  if (url.username || url.password)
    throw new RangeError("The address of the key set (JWKS) may hold no user or password.");
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    throw new RangeError(
      "The address of the key set (JWKS) must begin with https:// (http:// is for this machine only).",
    );
  }
  return {
    place: `${url.origin}${url.pathname}`,
    maxAge: 600_000,
    coolDown: 30_000,
    load: () => fetchKeys(url, runtime),
  };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

async function fetchKeys(url: URL, runtime: Pick<Runtime, "timer">): Promise<JSONWebKeySet> {
  const abort = new AbortController();
  const late = runtime.timer(FETCH_TIMEOUT, () => abort.abort(new Error(`no answer in ${FETCH_TIMEOUT} ms`)));
  try {
    const response = await fetch(url, {
      // A redirect could lead to a place that the address was checked not to be.
      redirect: "error",
      signal: abort.signal,
      headers: { accept: "application/jwk-set+json, application/json" },
    });
    if (response.status !== 200) throw new Error(`answered with status ${response.status}`);
    return parseKeys(await readBody(response));
  } finally {
    late.cancel();
    // Lets go of a body that was not read to its end.
    abort.abort();
  }
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`is longer than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The key set in a file: looked at again every second, read again when it changed. */
export function jwksFile(path: string): JwksSource {
  let seen: string | undefined;
  return {
    place: path,
    maxAge: 1_000,
    coolDown: 1_000,
    async load() {
      const file = await open(path, "r");
      try {
        const { ino, size, mtimeNs } = await file.stat({ bigint: true });
        const version = `${ino}/${size}/${mtimeNs}`;
        if (version === seen) return undefined;
        const buffer = Buffer.alloc(MAX_BYTES + 1);
        const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
        if (bytesRead > MAX_BYTES) throw new Error(`is longer than ${MAX_BYTES} bytes`);
        const keys = parseKeys(buffer.toString("utf8", 0, bytesRead));
        seen = version;
        return keys;
      } finally {
        await file.close();
      }
    },
  };
}

function parseKeys(text: string): JSONWebKeySet {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's message would quote what it read.
    throw new Error("is not JSON");
  }
  if (typeof parsed !== "object" || parsed === null || !("keys" in parsed) || !Array.isArray(parsed.keys)) {
    throw new Error("is not a key set: an object with a list named keys");
  }
  if (parsed.keys.length > MAX_KEYS) throw new Error(`holds more than ${MAX_KEYS} keys`);
  return { keys: parsed.keys };
}
