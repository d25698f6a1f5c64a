import type { ClientMessage, Command, ServerMessage } from "@tandem/protocol";
import { samePosition } from "@tandem/protocol";
import type { Identity } from "@tandem/server/core";
import type { Asked } from "../models/book.ts";
import { isDesk } from "../models/desk.ts";
import type { Dialogue } from "./dialogue.ts";
import type { Scene } from "./scene.ts";
import type { Watcher } from "./watcher.ts";

/** G1, G2, G14, M1, M4: what is answered to a command is what became of it, and nothing that is told of a model is for other ears. */
export class Commands implements Watcher {
  readonly #scene: Scene;
  readonly #expected = new WeakMap<Dialogue, Identity | undefined>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  asked(dialogue: Dialogue, message: ClientMessage): void {
    const { tokens } = this.#scene;
    if (message.type === "hello" && message.token !== undefined)
      this.#expected.set(dialogue, tokens.identity(message.token));
    if (message.type !== "command") return;
    // What comes with `hello` comes before its answer.
    const asked = asking(dialogue.identity ?? this.#expected.get(dialogue), message);
    if (asked) this.#scene.desks.book.arrived(asked, this.#scene.clock.now);
  }

  told(dialogue: Dialogue, message: ServerMessage, request: ClientMessage | undefined): void {
    const { desks, clock, ledger } = this.#scene;
    const { identity, wrong } = dialogue;
    if (identity && "channel" in message && message.channel !== undefined && isDesk(message.channel))
      desks.confidences.told(clock.now, identity.user, message);
    if (request?.type === "state" && message.type !== "piece" && message.type !== "error")
      wrong("wire", `${message.type} answers a request for a state`);
    if (request?.type !== "command") return;
    const asked = asking(identity, request);
    const command = asked && desks.book.arrived(asked, clock.now);
    if (!command) return;
    if (message.type === "published") {
      if (message.duplicate) this.#scene.tally.count("path", "command-duplicate");
      const stored = command.commits.some(({ position }) => samePosition(position, message.position));
      if (!stored)
        wrong(
          "G1",
          `${request.model}.${request.command} was told ${JSON.stringify(message.position)}, and is not stored there`,
        );
    } else if (message.type === "error") {
      if (message.code === "conflict")
        wrong("M1", `${request.model}.${request.command} was told of a conflict between nodes`);
      if (message.code === "model-stopped") wrong("M1", `${request.model} was told to have stopped`);
      const { code } = (message.reason ?? {}) as { code?: string };
      if (message.code === "rejected" && ledger.line(command.channel)) desks.refused(clock.now, command, String(code));
    } else wrong("wire", `${message.type} answers a command`);
  }
}

/** A command as the log knows it: of the user who the connection's client is. */
function asking(identity: Identity | undefined, message: Command): Asked | undefined {
  if (!identity) return undefined;
  const { model, command, version = 1, input, nonce, fence, channel } = message;
  const { tenant, user, grants } = identity;
  const admin = (grants[`${channel.slice(0, channel.indexOf(":"))}:a*`] ?? []).includes("admin");
  return { channel: `${tenant}/${channel}`, user, model, command, version, input, nonce, fence, admin };
}
