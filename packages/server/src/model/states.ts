import { cutPiece, evolve, ModelStopped } from "@tandem/model";
import type { Position } from "@tandem/protocol";
import { chainTag, errorOf, samePosition, TandemError } from "@tandem/protocol";
import { storedModelEvent } from "../channel/model-event.ts";
import type { Log } from "../log/log.ts";
import { UNBORN } from "../log/log.ts";
import type { Instance, StateAt } from "./instance.ts";
import { loadSnapshot } from "./snapshots.ts";

/** States of a channel's models that are kept for those who are being sent them piece by piece. */
const PINNED = 16;

/** Views of one pinned state that are kept. */
const VIEWS = 16;

/** What one read takes from the log when an older state is worked out. */
const READ = { events: 512, bytes: 262_144 };

/** Older states of a channel that are worked out at a time; more than that wait. */
const AT_ONCE = 2;

/** So often it is worked out anew because something was erased meanwhile. */
const REPLAYS = 4;

/** A piece of a state on its way to a viewer. */
export interface StatePart {
  readonly version: number;
  readonly position: Position;
  /** JSON. */
  readonly json: string;
  readonly next: string | undefined;
}

interface Pinned {
  readonly instance: Instance;
  /** The channel's revision when it was made: see `Instance`. */
  readonly revision: number;
  readonly at: StateAt;
  readonly views: Map<string | undefined, object>;
}

/**
 * The states of a channel's models as they are told: the newest, and any older one whose events are still kept. A state that is being
 * sent in pieces is the same from the first to the last; any node can go on with it.
 */
export class States {
  readonly #log: Log;
  readonly #pinned: Pinned[] = [];
  #working: Promise<unknown>[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * @param user the viewer; `undefined`: the application itself
   * @param wanted `at`: the state there, default the newest. `after`: the `next` of the piece before it
   * @throws TandemError (by rejection) `state-gone`, `model-stopped`, `storage-unavailable`
   */
  async part(
    instance: Instance,
    user: string | undefined,
    wanted: { readonly at?: Position | undefined; readonly after?: string | undefined; readonly bytes: number },
  ): Promise<StatePart> {
    const pinned = this.#pin(instance, await this.at(instance, wanted.at));
    const { json, next } = cutPiece(view(pinned, user), placeIn(pinned, wanted.after), wanted.bytes);
    const following = next === undefined ? undefined : `${pinned.revision} ${next}`;
    return { version: instance.model.version, position: pinned.at.position, json, next: following };
  }

  /** The state at a position, by default the newest. Rejects as `part` does. */
  at(instance: Instance, position?: Position): Promise<StateAt> {
    return instance.channel.during(this.#at(instance, position));
  }

  async #at(instance: Instance, position?: Position): Promise<StateAt> {
    if (position) {
      const pinned = this.#pinned.find((one) => isOf(one, instance) && samePosition(one.at.position, position));
      if (pinned) return pinned.at;
    }
    for (let advancing = instance.advance(); advancing; advancing = instance.advance()) await advancing;
    const newest = instance.at;
    return !position || samePosition(newest.position, position) ? newest : this.#workOut(instance, position);
  }

  #pin(instance: Instance, at: StateAt): Pinned {
    const index = this.#pinned.findIndex((one) => isOf(one, instance) && samePosition(one.at.position, at.position));
    const { revision } = instance.channel.head;
    const pinned = this.#pinned[index] ?? { instance, revision, at, views: new Map() };
    if (index >= 0) this.#pinned.splice(index, 1);
    this.#pinned.push(pinned);
    if (this.#pinned.length > PINNED) this.#pinned.shift();
    return pinned;
  }

  async #workOut(instance: Instance, position: Position): Promise<StateAt> {
    while (this.#working.length >= AT_ONCE) await Promise.race(this.#working).catch(() => undefined);
    const working = this.#replay(instance, position);
    this.#working.push(working);
    try {
      return await working;
    } finally {
      this.#working = this.#working.filter((other) => other !== working);
    }
  }

  /**
   * The state at a position as it is in the channel's newest revision: what was erased since this node looked is not in it any more, and other nodes may
   * have told it otherwise under the same name.
   */
  async #replay(instance: Instance, wanted: Position): Promise<StateAt> {
    const { channel } = instance;
    for (let tries = 0; tries < REPLAYS; tries++) {
      const at = await this.#replayOnce(instance, wanted);
      const [head] = await this.#log.heads([channel.key]);
      if (head?.revision === channel.head.revision) return at;
      await channel.catchUp();
    }
    throw errorOf("state-gone");
  }

  /** From the newest snapshot before it, or from the beginning, event by event. */
  async #replayOnce({ name, model, channel }: Instance, wanted: Position): Promise<StateAt> {
    let at: StateAt = { state: model.initial(), position: { epoch: UNBORN, offset: 0, tag: "" }, tag: "" };
    const oldest = channel.head.first > 1 ? await channel.back(Number.MAX_SAFE_INTEGER) : undefined;
    const snapshots = await this.#log.snapshots(channel.key, name);
    // Nothing of a model without snapshots was trimmed. (What is the oldest in another life of the channel, of which this node knows, says nothing of this one.)
    if (oldest?.epoch === wanted.epoch && snapshots.length === 0) at = { ...at, position: oldest };
    for (const head of snapshots) {
      if (head.position.epoch !== wanted.epoch || head.position.offset > wanted.offset) continue;
      at = (await loadSnapshot(this.#log, model, head).catch(stopped)) ?? at;
      break;
    }
    while (at.position.offset < wanted.offset) {
      const result = await this.#log.read(channel.key, at.position, READ);
      if (result.kind === "reset" || result.head.epoch !== wanted.epoch || result.events.length === 0)
        throw errorOf("state-gone");
      let { state, tag, position } = at;
      for (const event of result.events) {
        if (event.offset > wanted.offset) break;
        position = { epoch: wanted.epoch, offset: event.offset, tag: event.tag };
        const of = storedModelEvent(name, event);
        if (!of) continue;
        tag = chainTag(tag, event.id);
        state = evolved(model, state, of);
      }
      at = { state, tag, position };
    }
    if (!samePosition(at.position, wanted)) throw errorOf("state-gone");
    return at;
  }
}

/**
 * Where the next piece begins. The pieces of one state belong together: where something was erased meanwhile, what the state at this position is has
 * changed.
 *
 * @throws TandemError `state-gone`
 */
function placeIn({ revision }: Pinned, after: string | undefined): string | undefined {
  if (after === undefined) return undefined;
  const space = after.indexOf(" ");
  if (Number(after.slice(0, space)) !== revision) throw errorOf("state-gone");
  return after.slice(space + 1);
}

function isOf({ instance, revision }: Pinned, wanted: Instance): boolean {
  return instance === wanted && revision === wanted.channel.head.revision;
}

function evolved(model: Instance["model"], state: object, event: Parameters<typeof evolve>[2]): object {
  try {
    return evolve(model, state, event);
  } catch (error) {
    return stopped(error);
  }
}

function stopped(error: unknown): never {
  throw error instanceof ModelStopped ? new TandemError("model-stopped", error.message) : error;
}

/** What a viewer may hold of a state; the application holds all of it. */
function view({ instance, at, views }: Pinned, user: string | undefined): object {
  if (user === undefined || instance.model.open) return at.state;
  const known = views.get(user) ?? instance.model.view(at.state, { user });
  views.delete(user);
  views.set(user, known);
  const [oldest] = views.keys();
  if (views.size > VIEWS) views.delete(oldest);
  return known;
}
