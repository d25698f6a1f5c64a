import type { ClientMessage, ServerMessage } from "@tandem/protocol";
import type { Identity } from "@tandem/server/core";
import { mayHave } from "../following/personal.ts";
import type { Dialogue } from "./dialogue.ts";
import type { Scene } from "./scene.ts";
import type { Watcher } from "./watcher.ts";

/** What is told about channels and their events: to those who are known, and may have it now. */
const GUARDED = new Set<ServerMessage["type"]>(["subscribed", "reset", "events", "published", "page", "piece"]);

/** G10: nothing is handed to one who is not known, may not have it, or whose time is over. */
export class Authority implements Watcher {
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  told(dialogue: Dialogue, message: ServerMessage, request: ClientMessage | undefined): void {
    if (message.type === "welcome" && request?.type !== "hello" && request?.type !== "refresh")
      return dialogue.wrong("wire", "a welcome answers no hello and no refresh");
    if (!GUARDED.has(message.type)) return;
    const { identity, wrong } = dialogue;
    if (!identity) return wrong("G10", `${message.type} before the client said who it is`);
    this.#checkTime(dialogue, identity, message.type, channelOf(message, request));
    if (message.type === "subscribed" && !mayOn(identity, message.channel))
      wrong("G10", `${identity.user} was let in on ${message.channel}`);
    if (message.type === "page" && !mayOn(identity, message.channel))
      wrong("G10", `${identity.user} was shown the history of ${message.channel}`);
  }

  #checkTime(dialogue: Dialogue, identity: Identity, type: string, channel: string | undefined): void {
    const { wrong } = dialogue;
    const { node } = dialogue.connection;
    const now = node.runtime.now();
    if (identity.expires !== undefined && now >= identity.expires && now >= dialogue.knownUntil)
      wrong("G10", `${type} was handed over ${now - identity.expires} ms after the token expired`);
    const late = this.#scene.revocations.overdue(identity, this.#scene.clock.now, node, type, channel);
    if (late !== undefined)
      wrong("G10", `${type} was handed over ${Math.round(late)} ms after ${identity.user} was revoked, or expelled`);
  }
}

/** The channel that a message tells of; a publish that is asked again is told what became of it, whatever may be done there now. */
function channelOf(message: ServerMessage, request: ClientMessage | undefined): string | undefined {
  if (message.type === "published")
    return (request?.type === "publish" || request?.type === "command") && !message.duplicate
      ? request.channel
      : undefined;
  return "channel" in message ? message.channel : undefined;
}

/** Everyone of a tenant may read every channel, but for those named for others, and has those that every user has. */
export function mayOn(identity: Pick<Identity, "user" | "grants">, channel: string): boolean {
  const grants = identity.grants;
  const personal = mayHave(identity.user, channel);
  if (personal !== undefined) return personal;
  return Object.keys(grants).some(
    (pattern) =>
      (pattern === channel || pattern === "*" || (pattern.endsWith("*") && channel.startsWith(pattern.slice(0, -1)))) &&
      (grants[pattern] ?? []).some((right) => right === "read" || right === "admin"),
  );
}
