import type { Publish } from "@tandem/protocol";
import { bodyDigest, errorOf, mintedAt, TandemError } from "@tandem/protocol";
import type { Channel } from "../channel/channel.ts";
import type { Verdict } from "../channel/validation.ts";
import { validate } from "../channel/validation.ts";
import type { AppendResult, Refusal } from "../log/log.ts";
import type { Session } from "./session.ts";

/** A producer minted further ahead than this, in milliseconds, is refused: its marks would outlive their bound. */
const FUTURE_MS = 600_000;

const FORBIDDEN: Verdict = { refusal: { code: "forbidden", message: errorOf("forbidden").message } };

/**
 * A session's publishes. Each is judged (rights, schema) and goes to its channel with the verdict: the log decides by
 * the producer first, so that a retry is told its first outcome even where the verdict has changed since.
 *
 * Publishes of one channel reach it in the order in which they came, also where a right or a schema takes its time.
 */
export class Publishing {
  readonly #session: Session;
  /** The last publish of a channel that is not with its channel yet; `undefined` while there is none. */
  #lines: Map<string, Promise<void>> | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  take(publish: Publish): void {
    const before = this.#lines?.get(publish.channel);
    const handed = before ? before.then(() => this.#hand(publish)) : this.#hand(publish);
    if (!(handed instanceof Promise)) return;
    const line = handed
      .catch((error: unknown) => this.#session.fail(publish, error))
      .finally(() => {
        if (this.#lines?.get(publish.channel) === line) this.#lines.delete(publish.channel);
        if (this.#lines?.size === 0) this.#lines = undefined;
      });
    this.#lines ??= new Map();
    this.#lines.set(publish.channel, line);
  }

  /** Judges a publish and hands it to its channel: at once, where nothing takes its time. */
  #hand(publish: Publish): void | Promise<void> {
    const { channels, runtime } = this.#session.ports;
    if (!channels.definitionOf(publish.channel)) return this.#session.fail(publish, errorOf("forbidden"));
    if (mintedAt(publish.producer) > runtime.now() + FUTURE_MS) {
      return this.#session.fail(publish, errorOf("producer-invalid"));
    }
    const verdict = this.#judge(publish);
    const channel = channels.live(this.#session.identity.tenant, publish.channel);
    if (!(verdict instanceof Promise) && channel) return this.#append(publish, channel, verdict);
    return this.#handLater(publish, verdict);
  }

  async #handLater(publish: Publish, judging: Verdict | Promise<Verdict>): Promise<void> {
    const verdict = await judging;
    const channel = await this.#session.ports.channels.open(this.#session.identity.tenant, publish.channel);
    if (!this.#session.ended) this.#append(publish, channel, verdict);
  }

  #judge(publish: Publish): Verdict | Promise<Verdict> {
    const allowed = this.#session.rights.can(publish.channel, "publish");
    if (allowed === false) return FORBIDDEN;
    if (allowed === true) return this.#validate(publish);
    return allowed.then((yes) => (yes ? this.#validate(publish) : FORBIDDEN));
  }

  #validate(publish: Publish): Verdict | Promise<Verdict> {
    const definition = this.#session.ports.channels.definitionOf(publish.channel);
    if (!definition) return FORBIDDEN;
    const { event, version, data } = publish;
    const draft = { event, version, data, author: this.#session.identity.user };
    return validate(definition, draft, this.#session.ports.limits);
  }

  #append(publish: Publish, channel: Channel, verdict: Verdict): void {
    const { event, version, data, producer, seq } = publish;
    const refused = "refusal" in verdict ? verdict.refusal : undefined;
    channel
      .append({
        producer: {
          id: producer,
          user: this.#session.identity.user,
          seq,
          digest: bodyDigest(event, version, JSON.stringify(data) ?? ""),
        },
        events: "events" in verdict ? verdict.events : [],
        refusal: refused,
      })
      .then(
        (result) => this.#conclude(publish, result),
        (error: unknown) => this.#session.fail(publish, error),
      );
  }

  #conclude(publish: Publish, result: AppendResult): void {
    switch (result.kind) {
      case "committed": {
        const { epoch, offset, tags } = result;
        const position = { epoch, offset: offset + tags.length - 1, tag: tags[tags.length - 1] ?? "" };
        return this.#session.answer(publish, "normal", { type: "published", id: publish.id, position });
      }
      case "settled":
        if (result.outcome.kind === "refused") return this.#refuse(publish, result.outcome.refusal);
        return this.#session.answer(publish, "normal", {
          type: "published",
          id: publish.id,
          position: result.outcome.position,
          duplicate: true,
        });
      case "refused":
        return this.#refuse(publish, result.refusal);
      case "out-of-sequence":
        return this.#session.fail(publish, errorOf(result.kind, { expected: result.expected }));
      case "unknown":
        return this.#session.fail(publish, errorOf("unknown-outcome"));
      case "producer-quota":
        return this.#session.fail(publish, errorOf(result.kind, { retryAfter: 60_000 }));
      case "body-mismatch":
      case "conflict":
        return this.#session.fail(publish, errorOf(result.kind));
    }
  }

  #refuse(publish: Publish, refusal: Refusal): void {
    this.#session.fail(publish, new TandemError(refusal.code, refusal.message, { issues: refusal.issues }));
  }
}
