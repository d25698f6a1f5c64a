import type { ChannelDefinition } from "@tandem/app";
import type { Errand } from "@tandem/model";
import type { FenceToken, Position } from "@tandem/protocol";
import { errorOf } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Channel } from "../channel/channel.ts";
import { toError } from "../channel/validation.ts";
import type { Asking } from "../model/asking.ts";
import { commandDigest, findCommand, toQuestion } from "../model/asking.ts";
import type { Question } from "../model/decision.ts";
import { deadlineOf } from "../model/decision.ts";
import type { StateAt } from "../model/instance.ts";
import type { Models } from "../model/models.ts";
import type { Attempt } from "./publisher.ts";

export interface CommandOptions {
  /** In whose name: the model is asked as if this user had, and readers are shown it. Default: the application itself. */
  readonly user?: string;
  /** The version of the model that `input` is of. Default: the declared one. */
  readonly version?: number;
  /** The fencing token of the lock under which this is done. Default: the application needs none. */
  readonly fence?: FenceToken | undefined;
  /** A producer id for this command alone: see `PublishOptions.once`. */
  readonly once?: string | undefined;
}

/** What time itself has to do. */
export interface Due {
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** What has to be done elsewhere before. */
  readonly errand: Errand | undefined;
}

interface ApplicationModelPorts {
  readonly definition: ChannelDefinition;
  readonly models: Models;
  readonly runtime: Runtime;
  open(): Promise<Channel>;
  push(attempt: Attempt, once?: string): Promise<Position>;
}

/** A model of a channel as the application uses it: it may do everything, and holds all of the state. */
export class ApplicationModel {
  readonly name: string;
  readonly #ports: ApplicationModelPorts;

  constructor(name: string, ports: ApplicationModelPorts) {
    this.name = name;
    this.#ports = ports;
  }

  /**
   * Has the model decide a command. Takes effect once; resolves with the position after its events when they are durable.
   *
   * @throws TandemError (by rejection) `rejected` with the model's `reason`; `invalid-command`, `invalid-data`, `model-stopped`, `stale-fence`; as `publish` does
   */
  async command(command: string, input: unknown, options: CommandOptions = {}): Promise<Position> {
    const { definition, runtime } = this.#ports;
    const version = options.version ?? definition.models.get(this.name)?.version ?? 1;
    const asking: Asking = { model: this.name, command, version, input, nonce: options.once ?? runtime.randomId() };
    const found = findCommand(definition, asking);
    if ("refusal" in found) throw toError(found.refusal);
    const asked = await toQuestion(found, asking, { user: options.user, admin: true });
    if ("refusal" in asked) throw toError(asked.refusal);
    return this.#ask(asked.question, commandDigest(definition, asking), options);
  }

  /** Has the model act where this is its deadline, and has passed; else nothing changes. @param at as `deadline` tells it */
  elapse(at: number): Promise<Position> {
    return this.#ask({ kind: "deadline", at }, "deadline");
  }

  /** When time itself has to act next, in milliseconds since 1970. Rejects as `state` does. */
  async deadline(): Promise<number | undefined> {
    return (await this.due())?.at;
  }

  /** The same, with what has to be done elsewhere before. */
  async due(): Promise<Due | undefined> {
    const model = this.#ports.definition.models.get(this.name);
    const { state } = await this.state();
    const at = model && deadlineOf(model, state);
    return at === undefined ? undefined : { at, errand: model?.errand(state) };
  }

  #ask(question: Question, digest: string, { fence, once }: CommandOptions = {}): Promise<Position> {
    const attempt: Attempt = {
      digest,
      append: (channel, producer, refusal) => {
        const models = this.#ports.models.on(channel);
        if (refusal) return models.append({ producer, events: [], refusal });
        const what = { kind: "ask", instance: models.instance(this.name), question } as const;
        return models.ask({ producer, fence, what });
      },
    };
    return this.#ports.push(attempt, once);
  }

  /**
   * The state, the newest or that at a position whose events are still kept.
   *
   * @throws TandemError (by rejection) `state-gone`, `model-stopped`, `storage-unavailable`
   */
  async state(at?: Position): Promise<StateAt> {
    const channel = await this.#ports.open();
    if (!at && !(await channel.catchUp())) throw errorOf("storage-unavailable", { retryAfter: 1_000 });
    const models = this.#ports.models.on(channel);
    return models.states.at(models.instance(this.name), at);
  }
}
