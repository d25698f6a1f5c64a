import type { Events, ServerMessage } from "@tandem/protocol";
import { compare, isFor, sees } from "../eyes.ts";
import type { Fact } from "../ledger.ts";
import { isReplaced } from "../overflow.ts";
import type { Dialogue, Standing } from "./dialogue.ts";
import type { Scene } from "./scene.ts";
import type { Watcher } from "./watcher.ts";

/** An event that comes so many milliseconds after its commit to someone who was at the head before was caught up with. */
const SLOW_MS = 500;

/**
 * G3, G10, D2, D11, D12: what a subscription is given goes on from where it was, and is all there is for its reader in its range:
 * what they may see, what they ask for, and, where only the latest counts, at least the newest of each key.
 */
export class Deliveries implements Watcher {
  readonly #scene: Scene;
  /** Subscriptions whose newest events came as they were stored. */
  readonly #live = new WeakMap<Dialogue, Set<string>>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  told(dialogue: Dialogue, message: ServerMessage): void {
    if (message.type === "subscribed") this.#liveOf(dialogue).delete(message.channel);
    if (message.type === "events") this.#events(dialogue, message);
  }

  #liveOf(dialogue: Dialogue): Set<string> {
    const live = this.#live.get(dialogue) ?? new Set();
    this.#live.set(dialogue, live);
    return live;
  }

  #events(dialogue: Dialogue, message: Events): void {
    const { identity, wrong } = dialogue;
    if (!identity) return;
    const { channel, from, to, tag, epoch, events } = message;
    const standing = dialogue.standing.get(channel);
    if (!standing) return wrong("wire", `events of ${channel} without a subscription`);
    const { position, filter, head } = standing;
    if (from !== position.offset)
      wrong("G3", `events of ${channel} cover (${from}, ${to}] and should go on from ${position.offset}`);
    if (from === 0 && epoch === undefined) wrong("wire", `events of ${channel} begin at 0 and name no epoch`);
    const { ledger, clock } = this.#scene;
    const facts = ledger.between(
      `${identity.tenant}/${channel}`,
      position,
      { offset: to, tag },
      epoch ?? position.epoch,
    );
    if (!facts) {
      const place = JSON.stringify(position);
      return wrong("G3", `events of ${channel} to ${to} (${tag}) do not go on from ${place}, or were never stored`);
    }
    const eyes = { user: identity.user, filter };
    let replaced = 0;
    // What was there when the subscription began is replayed in full, whatever the policy.
    const mayLack = (fact: Fact) => fact.offset > head && isReplaced(eyes, fact, ledger) && ++replaced > 0;
    const difference = compare(eyes, events, facts, clock.now, mayLack);
    if (difference) wrong(difference.rule, difference.text);
    this.#count(dialogue, standing, message, facts, identity.user);
    this.#scene.tally.count("path", "replaced-events", replaced);
  }

  #count(dialogue: Dialogue, { filter }: Standing, { channel }: Events, facts: readonly Fact[], user: string): void {
    const { tally, clock } = this.#scene;
    const live = this.#liveOf(dialogue);
    const behind = clock.now - (facts[0]?.committedAt ?? 0) > SLOW_MS;
    if (facts.some((fact) => !sees(user, fact))) tally.count("path", "hidden-events");
    if (facts.length > 1) tally.count("path", "batched-events");
    if (filter && facts.some((fact) => sees(user, fact) && !isFor({ user, filter }, fact)))
      tally.count("path", live.has(channel) && !behind ? "filtered-live" : "filtered-replay");
    if (live.has(channel) && behind) tally.count("path", "slow-catch-up");
    if (!behind) live.add(channel);
  }
}
