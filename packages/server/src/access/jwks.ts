import { errorOf, TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { CryptoKey, JWSHeaderParameters, LocalJWKSet } from "jose";
import { createLocalJWKSet, errors } from "jose";
import type { JwksSource } from "./jwks-source.ts";

/** Milliseconds for which the last known keys are still used when they cannot be looked up again. */
const MAX_STALE = 3_600_000;
/** Milliseconds until the next look-up where there are no usable keys at all. */
const RETRY_WITHOUT_KEYS = 2_000;

/** The public keys that tokens are checked with, kept up to date. */
export interface Jwks {
  /**
   * The one key that fits a token's header.
   *
   * @throws TandemError `keys-unavailable` when it cannot be told now whether there is such a key;
   *   `token-invalid` when there is none, or more than one
   */
  keyFor(header: JWSHeaderParameters): Promise<CryptoKey>;
}

interface Known {
  readonly set: LocalJWKSet;
  /** `elapsed` time at which it was known to be the newest. */
  readonly at: number;
}

/**
 * Keeps the keys of a source: one look-up at a time, whoever waits for it; none within the source's cool-down.
 *
 * A token that names an unknown key within the cool-down is answered `keys-unavailable` with the time to wait, because
 * the key may be newer than the last look-up; after that look-up the answer is certain.
 */
export function createJwks(source: JwksSource, runtime: Pick<Runtime, "elapsed" | "logger">): Jwks {
  let known: Known | undefined;
  /** When the last look-up began, and whether it failed. */
  let tried: { readonly at: number; failed: boolean } | undefined;
  let loading: Promise<boolean> | undefined;

  /** Milliseconds until the next look-up may begin. */
  function wait(): number {
    if (!tried) return 0;
    const pause = tried.failed && !usable() ? Math.min(RETRY_WITHOUT_KEYS, source.coolDown) : source.coolDown;
    return Math.max(0, tried.at + pause - runtime.elapsed());
  }

  function usable(): Known | undefined {
    return known && runtime.elapsed() - known.at < MAX_STALE ? known : undefined;
  }

  /** Looks up once, for all who ask meanwhile. Never rejects. @returns whether the newest keys are known now */
  function lookUp(): Promise<boolean> {
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  async function load(): Promise<boolean> {
    const attempt = { at: runtime.elapsed(), failed: false };
    tried = attempt;
    try {
      const keys = await source.load();
      const set = keys ? createLocalJWKSet(keys) : known?.set;
      if (set) known = { set, at: runtime.elapsed() };
    } catch (error) {
      attempt.failed = true;
      runtime.logger.warn({ place: source.place, err: error }, "the key set (JWKS) could not be read");
    }
    return !attempt.failed;
  }

  function isOld(): boolean {
    return !known || runtime.elapsed() - known.at >= source.maxAge;
  }

  function mayLookUp(): boolean {
    return loading !== undefined || wait() === 0;
  }

  async function keyFor(header: JWSHeaderParameters): Promise<CryptoKey> {
    let certain = isOld() && mayLookUp() && (await lookUp());
    let key = await find(usable(), header);
    if (!key && !certain && mayLookUp()) {
      certain = await lookUp();
      key = await find(usable(), header);
    }
    if (key) return key;
    if (certain) throw new TandemError("token-invalid", "The token names a key that its issuer does not have.");
    throw errorOf("keys-unavailable", { retryAfter: Math.max(1, Math.ceil(wait())) });
  }

  return { keyFor };
}

async function find(known: Known | undefined, header: JWSHeaderParameters): Promise<CryptoKey | undefined> {
  try {
    return await known?.set(header);
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return undefined;
    if (error instanceof errors.JWKSMultipleMatchingKeys) {
      throw new TandemError("token-invalid", "More than one key fits the token: its header must name one (kid).");
    }
    throw new TandemError("token-invalid", "The key that the token names cannot be used.");
  }
}
