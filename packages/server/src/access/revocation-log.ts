import type { ErrorCode, Position } from "@tandem/protocol";
import { bodyDigest, errorOf, mintProducer, TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import * as v from "valibot";
import type { Revocation } from "./revocations.ts";
import { RevocationSchema } from "./revocations.ts";

/** The channel of all revocations. No tenant can have its tenant's name. */
export const REVOCATION_CHANNEL = "$tandem/revocations:all";
/** The type of its events: the data is a `Revocation`. */
const REVOCATION_EVENT = "revocation";

const StoredSchema = v.pipe(v.string(), v.parseJson(), RevocationSchema);

const VERSION = 1;
/** Who appends to it, in the log's eyes. */
const SYSTEM_USER = "$tandem";
/** Producers tried for one revocation, where the log no longer knows the one that was used before. */
const MAX_PRODUCERS = 3;

/** What is needed of the log: the port `Log` fits as it is. */
export interface RevocationLog {
  read(
    channel: string,
    after: Position | number,
    bounds: { readonly events: number; readonly bytes: number },
  ): Promise<RevocationRead>;
  append(batch: readonly RevocationAppend[]): Promise<readonly RevocationAppended[]>;
  trim(channel: string, bounds: { readonly before: number }): Promise<unknown>;
}

interface RevocationHead {
  readonly epoch: string;
  readonly offset: number;
  readonly first: number;
}

type RevocationRead =
  | {
      readonly kind: "run";
      readonly head: RevocationHead;
      readonly tagBefore: string;
      readonly events: readonly StoredRevocation[];
    }
  | { readonly kind: "reset"; readonly reason: string; readonly head: RevocationHead };

interface StoredRevocation {
  readonly offset: number;
  readonly tag: string;
  readonly type: string;
  readonly data: string | undefined;
}

interface RevocationAppend {
  readonly channel: string;
  readonly producer: { readonly id: string; readonly user: string; readonly seq: number; readonly digest: string };
  readonly events: readonly {
    readonly type: string;
    readonly version: number;
    readonly data: string;
    readonly author: undefined;
    readonly trace: undefined;
  }[];
  readonly now: number;
  readonly birth: string;
}

interface Refused {
  readonly code: ErrorCode;
  readonly message: string;
}

interface RevocationAppended {
  readonly kind: string;
  readonly outcome?: { readonly kind: string; readonly refusal?: Refused };
  readonly refusal?: Refused;
}

/** The revocation in a stored event; `undefined` where it was erased, or is of a kind that this version cannot read. */
export function readRevocation(event: StoredRevocation): Revocation | undefined {
  if (event.type !== REVOCATION_EVENT || event.data === undefined) return undefined;
  const parsed = v.safeParse(StoredSchema, event.data);
  return parsed.success ? parsed.output : undefined;
}

/** Appends revocations, one after the other, under a producer of its own. */
export class RevocationWriter {
  readonly #log: RevocationLog;
  readonly #runtime: Runtime;
  #producer: string | undefined;
  #seq = 0;

  constructor(log: RevocationLog, runtime: Runtime) {
    this.#log = log;
    this.#runtime = runtime;
  }

  /**
   * Appends one; resolves when it is durable. Not to be called while another is under way. After a rejection the same
   * revocation is to be given again, or none of this one: it may have taken effect, which does no harm.
   */
  async append(revocation: Revocation): Promise<void> {
    const data = JSON.stringify(revocation);
    for (let tried = 0; tried < MAX_PRODUCERS; tried++) {
      const appended = await this.#attempt(data);
      const refusal = appended.refusal ?? appended.outcome?.refusal;
      if (refusal) throw new TandemError(refusal.code, refusal.message);
      if (appended.kind === "committed" || appended.outcome?.kind === "committed") return;
      if (appended.kind === "producer-quota") throw errorOf("producer-quota");
      // The log has forgotten the producer, or knows another past of it: a fresh one has none.
      this.#producer = undefined;
    }
    throw new TandemError("internal", "The log takes no producer for revocations.");
  }

  async #attempt(data: string): Promise<RevocationAppended> {
    const now = this.#runtime.now();
    this.#producer ??= this.#freshProducer(now);
    const seq = this.#seq + 1;
    const [appended] = await this.#log.append([
      {
        channel: REVOCATION_CHANNEL,
        producer: {
          id: this.#producer,
          user: SYSTEM_USER,
          seq,
          digest: bodyDigest(REVOCATION_EVENT, VERSION, data),
        },
        events: [{ type: REVOCATION_EVENT, version: VERSION, data, author: undefined, trace: undefined }],
        now,
        birth: this.#runtime.randomId(),
      },
    ]);
    if (!appended) throw new TandemError("internal", "The log gave no answer to an append.");
    this.#seq = seq;
    return appended;
  }

  #freshProducer(now: number): string {
    this.#seq = 0;
    return mintProducer(now, this.#runtime.randomId());
  }
}
