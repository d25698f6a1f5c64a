import type { AppDefinition, Right, Viewer } from "@tandem/app";
import { channelId, channelType, isChannelName } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Identity } from "./authenticator.ts";
import { expandRights, grantedRights } from "./grants.ts";
import type { PersonalChannels } from "./personal-channels.ts";

/** Milliseconds after which an `access` function that has not answered counts as failed. */
const ACCESS_TIMEOUT = 5_000;
/** Least milliseconds between two warnings about the `access` function of one channel type. */
const WARNING_PAUSE = 10_000;

/** What the rules said. Rights `undefined`: the channel type's `access` function failed, which gives none. */
export type Asked =
  /** There is no such channel type, or no channel can have this name. */
  | { readonly kind: "undeclared" }
  | { readonly kind: "now"; readonly rights: readonly Right[] | undefined }
  | { readonly kind: "later"; readonly rights: Promise<readonly Right[] | undefined> };

/** The application's rules of access as a node applies them: one for all its connections. */
export class AccessRules {
  readonly #app: AppDefinition;
  readonly #personal: PersonalChannels;
  readonly #runtime: Runtime;
  readonly #warnedAt = new Map<string, number>();

  constructor(options: {
    readonly app: AppDefinition;
    readonly personal: PersonalChannels;
    readonly runtime: Runtime;
  }) {
    this.#app = options.app;
    this.#personal = options.personal;
    this.#runtime = options.runtime;
  }

  /** Asks the channel type's `access` function. Never throws, and its promise never rejects. */
  ask(channel: string, identity: Identity): Asked {
    if (!isChannelName(channel)) return { kind: "undeclared" };
    const type = channelType(channel);
    // `hasOwn`: a type named like something that every object inherits (`constructor`) is not a declared one.
    const declared = Object.hasOwn(this.#app.channels, type) ? this.#app.channels[type] : undefined;
    if (!declared) return { kind: "undeclared" };
    const { tenant, user, name, guest } = identity;
    const viewer: Viewer = { tenant, user, name, guest };
    const byToken = grantedRights(identity.grants, channel);
    const granted = this.#personal.has(user, channel) ? expandRights(["read", ...byToken]) : byToken;
    try {
      const answer = declared.access({ viewer, channel, id: channelId(channel), granted });
      if (isThenable(answer)) return { kind: "later", rights: this.#await(type, answer) };
      return { kind: "now", rights: expandRights(answer) };
    } catch (error) {
      this.#warn(type, error);
      return { kind: "now", rights: undefined };
    }
  }

  #await(type: string, answer: PromiseLike<readonly Right[]>): Promise<readonly Right[] | undefined> {
    return new Promise((resolve) => {
      const fail = (error: unknown): void => {
        late.cancel();
        this.#warn(type, error);
        resolve(undefined);
      };
      const late = this.#runtime.timer(ACCESS_TIMEOUT, () => fail(new Error(`no answer in ${ACCESS_TIMEOUT} ms`)));
      Promise.resolve(answer)
        .then((rights) => {
          const expanded = expandRights(rights);
          late.cancel();
          resolve(expanded);
        })
        .catch(fail);
    });
  }

  #warn(type: string, error: unknown): void {
    const now = this.#runtime.elapsed();
    const last = this.#warnedAt.get(type);
    if (last !== undefined && now - last < WARNING_PAUSE) return;
    this.#warnedAt.set(type, now);
    this.#runtime.logger.warn({ type, err: error }, "a channel type's access function failed: it gives no rights");
  }
}

function isThenable(value: unknown): value is PromiseLike<readonly Right[]> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
