import type { ClientMessage, Page, Published, ServerMessage } from "@tandem/protocol";
import type { Identity } from "@tandem/server/core";
import type { Connection } from "../connection.ts";
import { compare, sees } from "../eyes.ts";
import { publishNumber } from "../ledger.ts";
import type { Process } from "../process.ts";
import type { Dialogue } from "./dialogue.ts";
import type { Scene } from "./scene.ts";
import type { Watcher } from "./watcher.ts";

/** G1, G2, G4, G12, G14: an answer belongs to what was asked, and tells what is stored. */
export class Answers implements Watcher {
  readonly #scene: Scene;
  readonly #nodeOf = new Map<Process, Process>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  told(dialogue: Dialogue, message: ServerMessage, request: ClientMessage | undefined): void {
    const { tally } = this.#scene;
    const { identity, wrong } = dialogue;
    switch (message.type) {
      case "welcome":
        if (request?.type === "hello") this.#noteFailover(dialogue.connection);
        if (request) tally.count("path", request.type);
        return;
      case "closing":
        return tally.count("path", "closing");
      case "error":
        tally.count("path", `error.${message.code}`);
        if (message.code === "internal")
          wrong("G12", `an error of the server's own answers ${JSON.stringify(request)}`);
        return;
      case "published":
        return identity && this.#published(identity, message, request, wrong);
      case "page":
        return identity && this.#page(identity, message, request, wrong);
      default:
        return;
    }
  }

  /** A client that comes to another node than it was at. */
  #noteFailover({ client, node }: Connection): void {
    const before = this.#nodeOf.get(client);
    this.#nodeOf.set(client, node);
    if (before && before !== node) this.#scene.tally.count("path", "failover");
  }

  #published(
    identity: Identity,
    message: Published,
    request: ClientMessage | undefined,
    wrong: Dialogue["wrong"],
  ): void {
    if (request?.type === "command") return;
    if (request?.type !== "publish") return wrong("wire", "published answers no publish");
    if (message.duplicate) this.#scene.tally.count("path", "duplicate");
    const { channel, event, version = 1 } = request;
    // What an older client writes is stored, and told, in the newest version.
    const { data } = this.#scene.editions.newest({ type: event, version, data: JSON.stringify(request.data) ?? "" });
    const fact = this.#scene.ledger.at(`${identity.tenant}/${channel}`, message.position);
    if (!fact) {
      const place = JSON.stringify(message.position);
      return wrong("G1", `a publish on ${channel} was acknowledged at ${place}, and is not stored there`);
    }
    const asked = publishNumber(data);
    if (fact.publish !== asked) wrong("G14", `publish ${asked} was told the position of publish ${fact.publish}`);
    if (data !== fact.data) wrong("G2", `publish ${asked} was acknowledged with another body stored`);
  }

  #page(identity: Identity, message: Page, request: ClientMessage | undefined, wrong: Dialogue["wrong"]): void {
    if (request?.type !== "history") return wrong("wire", "a page answers no history request");
    const { ledger, clock } = this.#scene;
    const { channel, epoch, events, next } = message;
    const line = ledger.line(`${identity.tenant}/${channel}`);
    const newest = events.at(-1);
    if (!line || line.epoch !== epoch || !newest) return;
    const oldest = next ?? events[0]?.offset ?? 1;
    const facts = line.facts.slice(oldest - 1, newest.offset);
    if (facts.some((fact) => fact.lost)) return;
    const difference = compare({ user: identity.user }, events, facts, clock.now);
    if (difference) wrong(difference.rule, `${difference.text} (a page of history)`);
    const { atLeast, before } = request;
    if (before !== undefined && newest.offset >= before)
      wrong("wire", `a page before ${before} reaches ${newest.offset}`);
    if (!atLeast || before || atLeast.epoch !== epoch) return;
    if (ledger.at(line.facts[0]?.channel ?? "", atLeast)?.lost !== false) return;
    const missed = line.facts
      .slice(newest.offset, atLeast.offset)
      .find((fact) => sees(identity.user, fact) && !fact.erased);
    if (missed) wrong("G4", `a page of ${channel} ends at ${newest.offset}, asked for at least ${atLeast.offset}`);
  }
}
