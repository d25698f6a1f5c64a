import type { Command, Publish } from "@tandem/protocol";
import { bodyDigest, errorOf, mintedAt, TandemError } from "@tandem/protocol";
import type { Channel } from "../channel/channel.ts";
import { validate } from "../channel/validation.ts";
import type { AppendResult, Refusal } from "../log/log.ts";
import { positionAfter } from "../log/log.ts";
import { commandDigest } from "../model/asking.ts";
import { judgeCommand } from "./commands.ts";
import type { Session } from "./session.ts";
import type { Verdict } from "./verdict.ts";
import { FORBIDDEN, lockFault } from "./verdict.ts";

/** A producer minted further ahead than this, in milliseconds, is refused: its marks would outlive their bound. */
const FUTURE_MS = 600_000;

/**
 * A session's publishes and commands. Each is judged (rights, schema) and goes to its channel with the verdict: the log decides by
 * the producer first, so that a retry is told its first outcome even where the verdict has changed since.
 *
 * Those of one channel reach it in the order in which they came, also where a right or a schema takes its time.
 */
export class Publishing {
  readonly #session: Session;
  /** The last publish of a channel that is not with its channel yet; `undefined` while there is none. */
  #lines: Map<string, Promise<void>> | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  take(publish: Publish | Command): void {
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
  #hand(publish: Publish | Command): void | Promise<void> {
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

  async #handLater(publish: Publish | Command, judging: Verdict | Promise<Verdict>): Promise<void> {
    const { rights } = this.#session;
    const { invalidations } = rights;
    const verdict = await judging;
    const channel = await this.#session.ports.channels.open(this.#session.identity.tenant, publish.channel);
    if (this.#session.ended) return;
    // A schema may take any time: what rights said before is of the past where they have changed since.
    if (rights.invalidations !== invalidations) return this.#handLater(publish, this.#judge(publish));
    this.#append(publish, channel, verdict);
  }

  #judge(publish: Publish | Command): Verdict | Promise<Verdict> {
    if (publish.type === "command") return judgeCommand(this.#session, publish);
    const allowed = this.#session.rights.can(publish.channel, "publish");
    if (allowed === false) return FORBIDDEN;
    if (allowed === true) return this.#validate(publish);
    return allowed.then((yes) => (yes ? this.#validate(publish) : FORBIDDEN));
  }

  #validate(publish: Publish): Verdict | Promise<Verdict> {
    const definition = this.#session.ports.channels.definitionOf(publish.channel);
    if (!definition) return FORBIDDEN;
    const { event, version, data, fence } = publish;
    const { user } = this.#session.identity;
    const { limits, runtime } = this.#session.ports;
    const fault = lockFault(definition, { event, data, user }, fence, runtime.logger);
    return fault ?? validate(definition, { event, version, data, author: user }, limits);
  }

  #append(request: Publish | Command, channel: Channel, verdict: Verdict): void {
    const { models } = this.#session.ports;
    const { producer: id, seq, fence } = request;
    const producer = { id, user: this.#session.identity.user, seq, digest: digestOf(request, channel) };
    let appended: Promise<AppendResult>;
    if (request.type === "command" && "question" in verdict) {
      const instance = models.on(channel).instance(request.model);
      const what = { kind: "ask", instance, question: verdict.question } as const;
      appended = models.on(channel).ask({ producer, fence, what });
    } else {
      const events = "events" in verdict ? verdict.events : [];
      const refusal = "refusal" in verdict ? verdict.refusal : undefined;
      appended = models.append(channel, { producer, events, refusal, fence });
    }
    appended.then(
      (result) => this.#conclude(request, result),
      (error: unknown) => this.#session.fail(request, error),
    );
  }

  #conclude(publish: Publish | Command, result: AppendResult): void {
    switch (result.kind) {
      case "committed": {
        const position = positionAfter(result);
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

  #refuse(publish: Publish | Command, { code, message, issues, reason }: Refusal): void {
    this.#session.fail(publish, new TandemError(code, message, { issues, reason }));
  }
}

function digestOf(request: Publish | Command, { definition }: Channel): string {
  if (request.type === "command") return commandDigest(definition, request);
  return bodyDigest(request.event, request.version, JSON.stringify(request.data) ?? "");
}
