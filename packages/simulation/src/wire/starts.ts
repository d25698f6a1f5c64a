import type { ClientMessage, Position, Reset, ServerMessage, Subscribe, Subscribed } from "@tandem/protocol";
import type { Identity } from "@tandem/server/core";
import type { Dialogue } from "./dialogue.ts";
import type { Scene } from "./scene.ts";
import type { Watcher } from "./watcher.ts";

/** Every node has learned by now, in milliseconds, of what happened to the store. */
const UPHEAVAL_MS = 15_000;

/** G3, G4: a subscription begins where it was asked to, or says that it does not, and says so only where it is true. */
export class Starts implements Watcher {
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  told(dialogue: Dialogue, message: ServerMessage, request: ClientMessage | undefined): void {
    const { identity } = dialogue;
    if (!identity) return;
    if (message.type === "subscribed") this.#subscribed(dialogue, identity, message, request);
    if (message.type === "reset") this.#reset(dialogue, identity, message);
  }

  #subscribed(dialogue: Dialogue, identity: Identity, message: Subscribed, request: ClientMessage | undefined): void {
    const { tally } = this.#scene;
    const { channel, position, reset, head } = message;
    const { wrong, standing } = dialogue;
    if (request?.type !== "subscribe" || request.channel !== channel)
      return wrong("wire", "subscribed answers no subscribe");
    if (standing.has(channel)) wrong("D1", `${channel} was subscribed to before its last subscription had ended`);
    this.#checkExists(dialogue, identity, channel, position);
    if (head < position.offset)
      wrong("wire", `the head ${head} of ${channel} lies before the position ${position.offset}`);
    if (reset) tally.count("path", `reset.${reset}`);
    else if (head > position.offset) tally.count("path", "catch-up");
    if (request.lane) tally.count("path", `lane.${request.lane}`);
    this.#checkStart(dialogue, identity, request, message);
    this.#checkAtLeast(dialogue, identity, request, message);
  }

  #reset(dialogue: Dialogue, identity: Identity, { channel, position, reason }: Reset): void {
    this.#scene.tally.count("path", `reset.${reason}`);
    if (!dialogue.standing.has(channel)) dialogue.wrong("wire", `a reset of ${channel} without a subscription`);
    this.#checkExists(dialogue, identity, channel, position);
  }

  #checkExists({ wrong }: Dialogue, { tenant }: Identity, channel: string, position: Position): void {
    if (position.offset > 0 && !this.#scene.ledger.at(`${tenant}/${channel}`, position))
      wrong("G3", `${channel} never stood at ${JSON.stringify(position)}`);
  }

  #checkStart({ wrong }: Dialogue, identity: Identity, { from }: Subscribe, told: Subscribed): void {
    if (!from || !("epoch" in from)) return;
    const { channel, position, reset } = told;
    const { ledger, clock } = this.#scene;
    const key = `${identity.tenant}/${channel}`;
    const unborn = from.epoch === "-" && from.offset === 0;
    const same =
      position.offset === from.offset && position.tag === from.tag && (unborn || position.epoch === from.epoch);
    if (!reset) {
      if (!same)
        wrong("G3", `${channel} was resumed at ${JSON.stringify(position)} and not at ${JSON.stringify(from)}`);
      return;
    }
    // A node may not have learned yet that the store went back to a backup, or that the channel's life has ended.
    const upheavals = [...ledger.restorations, ...ledger.removals.filter((removal) => removal.channel === key)];
    if (upheavals.some(({ at }) => clock.now - at < UPHEAVAL_MS)) return;
    const line = ledger.line(key);
    const fact = unborn ? undefined : ledger.at(key, from);
    const known =
      unborn ||
      (from.offset === 0 ? line?.epoch === from.epoch : fact !== undefined && line?.facts[from.offset - 1] === fact);
    if (known && from.offset + 1 >= (line?.first ?? 1)) {
      wrong("G3", `${channel} was reset (${reset}) though ${JSON.stringify(from)} stands and what follows it is kept`);
    }
  }

  #checkAtLeast({ wrong }: Dialogue, identity: Identity, { from, atLeast }: Subscribe, told: Subscribed): void {
    if (!atLeast) return;
    const { ledger, tally } = this.#scene;
    const { channel, position, reset, head } = told;
    const key = `${identity.tenant}/${channel}`;
    const fact = ledger.at(key, atLeast);
    if (!fact || fact.lost || ledger.line(key)?.epoch !== atLeast.epoch) return;
    tally.count("path", "at-least");
    if (head < atLeast.offset)
      wrong("G4", `${channel} was answered at head ${head}, asked for at least ${atLeast.offset}`);
    if (!from && !reset && position.offset < atLeast.offset)
      wrong("G4", `${channel} "from now" begins at ${position.offset}, before ${atLeast.offset}`);
  }
}
