import type { ClientMessage, Follow, ServerMessage, Unfollow } from "@tandem/protocol";
import type { Identity } from "@tandem/server/core";
import type { Follower, State } from "../following/lists.ts";
import { same } from "../following/lists.ts";
import { mayHave, personalOf } from "../following/personal.ts";
import { mayOn } from "./authority.ts";
import type { Dialogue } from "./dialogue.ts";
import type { Scene } from "./scene.ts";
import type { Watcher } from "./watcher.ts";

/** A change is known on every node within this, in milliseconds, and what the reads of the store take. */
const SOON_MS = 2_000;

/** A node looks at the lists so often, in milliseconds: one failed look is made good by the next. */
const LOOK_MS = 2_000;

/** What a connection was told last. */
interface Told {
  readonly follower: Follower;
  /** Which of the states of the list that was; the earliest, where it was the same twice. */
  readonly state: number;
  readonly since: number;
}

/**
 * U1, U3, U4: a list that is told is one that was stored, never older than one that was told before, and the newest within 2 s; a
 * change that is answered is stored; no list grows past its bound.
 */
export class Followings implements Watcher {
  readonly #scene: Scene;
  readonly #askedAt = new WeakMap<ClientMessage, number>();
  readonly #open = new Map<Dialogue, Told>();

  constructor(scene: Scene) {
    this.#scene = scene;
    if (!scene.scope.following) return;
    scene.lists.listen((follower, before, now) => {
      this.#checkChange(follower, before, now);
      scene.clock.after(this.#soon, undefined, () => this.#checkLearned(follower, now));
    });
  }

  /** Within this a node has learned of a change, in milliseconds. */
  get #soon(): number {
    return SOON_MS + this.#scene.readMs();
  }

  asked(_dialogue: Dialogue, message: ClientMessage): void {
    if (message.type === "follow" || message.type === "unfollow") this.#askedAt.set(message, this.#scene.clock.now);
  }

  ended(dialogue: Dialogue): void {
    this.#open.delete(dialogue);
  }

  told(dialogue: Dialogue, message: ServerMessage, request: ClientMessage | undefined): void {
    const { identity, wrong } = dialogue;
    switch (message.type) {
      case "welcome": {
        const greeted = request?.type === "hello" || request?.type === "refresh" ? request.token : undefined;
        const who = greeted === undefined ? identity : this.#scene.tokens.identity(greeted);
        return who && this.#listed(dialogue, who, message.following.channels);
      }
      case "following":
        this.#scene.tally.count("path", "following");
        if (!identity || !this.#open.has(dialogue)) return wrong("U3", "a list is told to one who is not welcome");
        return this.#listed(dialogue, identity, message.channels);
      case "followed":
      case "unfollowed":
        if (request?.type !== (message.type === "followed" ? "follow" : "unfollow"))
          return wrong("wire", `${message.type} answers no such request`);
        return identity && this.#changed(dialogue, identity, request as Follow | Unfollow);
      case "error":
        if (message.code === "needs-auth" && message.id === undefined) this.#open.delete(dialogue);
        if (message.code === "too-many-following") this.#checkFull(dialogue, request);
        return;
      default:
        return;
    }
  }

  #listed(dialogue: Dialogue, { tenant, user }: Identity, told: readonly string[]): void {
    // Beside a client's own connection nobody is told what changes, and a client does not look at it there.
    if (dialogue.connection.side) return;
    const { scope, lists, clock, tally } = this.#scene;
    const personal = scope.following ? personalOf(user) : [];
    const follower = { tenant, user };
    const { wrong, connection } = dialogue;
    if (!same(told.slice(0, personal.length), personal)) wrong("U1", `${user} is told to have ${told.join(", ")}`);
    const channels = told.slice(personal.length);
    const states = lists.states(follower);
    const before = this.#open.get(dialogue)?.state ?? 0;
    const matches = states.flatMap((state, at) => (same(state.channels, channels) ? [at] : []));
    const state = matches.find((at) => at >= before);
    if (state === undefined) {
      const when = matches.length === 0 ? "was never stored" : "is older than what was told before";
      return wrong("U3", `the list of ${user} is told as [${channels.join(", ")}], which ${when}`);
    }
    this.#open.set(dialogue, { follower, state, since: this.#open.get(dialogue)?.since ?? clock.now });
    if (channels.length > 0) tally.count("path", "following-told");
    const endedAt = states[(matches.at(-1) ?? 0) + 1]?.at ?? Number.POSITIVE_INFINITY;
    if (endedAt < clock.now - this.#soon && !this.#isDisturbed(dialogue, endedAt))
      wrong("U3", `the list of ${user} is told by ${connection.node.name} as it was ${clock.now - endedAt} ms ago`);
  }

  /** A change was stored a while ago: whoever has been connected since has been told. */
  #checkLearned(follower: Follower, { at, channels }: State): void {
    const { lists, clock } = this.#scene;
    const states = lists.states(follower);
    const index = states.findIndex((state) => state.at === at && same(state.channels, channels));
    for (const [dialogue, told] of this.#open) {
      if (told.follower.tenant !== follower.tenant || told.follower.user !== follower.user) continue;
      if (told.since > at || !dialogue.connection.node.alive || this.#isDisturbed(dialogue, at)) continue;
      // The list may have become again what was told before.
      const known = states[told.state]?.channels ?? [];
      const since = lists.between(follower, at, clock.now);
      if (told.state >= index || since.some((state) => same(state.channels, known))) continue;
      const late = Math.round(clock.now - at);
      dialogue.wrong("U3", `${follower.user} was not told within ${late} ms to follow [${channels.join(", ")}]`);
    }
  }

  /** Was its node kept from looking at the lists since then, or shortly before? */
  #isDisturbed({ connection }: Dialogue, since: number): boolean {
    return this.#scene.lists.disturbedAt(connection.node) >= since - LOOK_MS;
  }

  #changed({ wrong }: Dialogue, identity: Identity, request: Follow | Unfollow): void {
    const { lists, clock } = this.#scene;
    const { type, channel } = request;
    const { user } = identity;
    const mayHaveIt = mayHave(user, channel);
    if (type === "follow" && !mayOn(identity, channel)) wrong("U4", `${user} was let follow ${channel}`);
    if (mayHaveIt === true && type === "follow") return;
    const since = this.#askedAt.get(request) ?? 0;
    const stored = lists
      .between(identity, since, clock.now)
      .some(({ channels }) => channels.includes(channel) === (type === "follow"));
    if (!stored) wrong("U3", `${type} of ${channel} by ${user} was answered, and is not stored`);
  }

  #checkFull({ identity, wrong }: Dialogue, request: ClientMessage | undefined): void {
    if (request?.type !== "follow" || !identity) return;
    const { lists, clock, limits } = this.#scene;
    const since = this.#askedAt.get(request) ?? 0;
    const full = lists
      .between(identity, since, clock.now)
      .some(({ channels }) => channels.length >= limits.following && !channels.includes(request.channel));
    if (!full) wrong("U4", `${identity.user} was told too-many-following with room on the list`);
  }

  /** What was stored was asked for, by someone who was not told yet that it was done. */
  #checkChange(follower: Follower, before: State, { at, channels }: State): void {
    const { history, lists, limits } = this.#scene;
    if (channels.length > limits.following)
      history.violate("U4", at, `the list of ${follower.user} holds ${channels.length} channels`);
    const open = lists.openAt(at, follower);
    const check = (type: "follow" | "unfollow", changed: readonly string[]) => {
      for (const channel of changed) {
        if (open.some((change) => change.type === type && change.channel === channel)) continue;
        const what = `${type} of ${channel} for ${follower.user} took effect`;
        history.violate("U3", at, `${what}, though nobody asks for it who was not told long ago`);
      }
    };
    const added = channels.filter((channel) => !before.channels.includes(channel));
    const taken = before.channels.filter((channel) => !channels.includes(channel));
    check("follow", added);
    check("unfollow", taken);
  }
}
