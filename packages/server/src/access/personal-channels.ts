import type { AppDefinition } from "@tandem/app";
import { channelName, channelType } from "@tandem/protocol";

/** Types of channels that belong to one user each; the id is the user's. */
const USER = "user";
const USER_URGENT = "user-urgent";
/** The type of the channel that belongs to everybody of a tenant. */
const EVERYBODY = "tenant:all";

/** Longest id of a channel. */
const LONGEST = 128;

/**
 * The channels that each connection of a user has without asking, as far as the application declares their types: `user:{id}`,
 * `user-urgent:{id}` and `tenant:all`. Their user may read them without a grant.
 */
export class PersonalChannels {
  readonly #app: AppDefinition;
  readonly #digest: (text: string) => string;

  /** @param digest a one-way digest as base64url */
  constructor(app: AppDefinition, digest: (text: string) => string) {
    this.#app = app;
    this.#digest = digest;
  }

  /** All that a user has. */
  of(user: string): string[] {
    return [this.ofUser(user, true), this.ofUser(user, false), EVERYBODY].filter((channel) => this.#declares(channel));
  }

  /** The user's own channel, declared or not. */
  ofUser(user: string, urgent: boolean): string {
    return channelName(urgent ? USER_URGENT : USER, idOf(user, this.#digest));
  }

  /** That of everybody, declared or not. */
  get everybody(): string {
    return EVERYBODY;
  }

  /** Does this user have this channel? */
  has(user: string, channel: string): boolean {
    if (!this.#declares(channel)) return false;
    const type = channelType(channel);
    if (type === USER || type === USER_URGENT) return channel === this.ofUser(user, type === USER_URGENT);
    return channel === EVERYBODY;
  }

  #declares(channel: string): boolean {
    return Object.hasOwn(this.#app.channels, channelType(channel));
  }
}

/**
 * A user's id as the id of a channel: what may not stand in one is written as `~` and the hexadecimal digits of its UTF-8, and an
 * id that gets too long by it as `~~` and its digest. No two users share one.
 */
function idOf(user: string, digest: (text: string) => string): string {
  const id = user.replace(/[^A-Za-z0-9_.@+-]/gu, (letter) => `~${Buffer.from(letter).toString("hex")}`);
  return id.length > LONGEST ? `~~${digest(user)}` : id;
}
