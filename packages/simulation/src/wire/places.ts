import type { ClientMessage, ServerMessage } from "@tandem/protocol";
import type { Dialogue } from "./dialogue.ts";
import type { Scene } from "./scene.ts";
import type { Watcher } from "./watcher.ts";

/** One connection as its node counts it. Times are virtual milliseconds; `Infinity`: not yet. */
interface Stay {
  readonly dialogue: Dialogue;
  readonly begunAt: number;
  /** `tenant user`, once it has said who it is. */
  user: string | undefined;
  saidAt: number;
  welcomedAt: number;
  /** What it was one too many of, and when it was told. */
  refused: "user" | "address" | undefined;
  refusedAt: number;
  endedAt: number;
}

/**
 * C9: no more connections of a user, and from an address, stand on a node than may; and who finds no place is one too many
 * indeed: whoever has left has given theirs back.
 */
export class Places implements Watcher {
  readonly #scene: Scene;
  readonly #stays = new Map<Dialogue, Stay>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  begun(dialogue: Dialogue): void {
    const never = Number.POSITIVE_INFINITY;
    this.#stays.set(dialogue, {
      dialogue,
      begunAt: this.#scene.clock.now,
      user: undefined,
      saidAt: never,
      welcomedAt: never,
      refused: undefined,
      refusedAt: never,
      endedAt: never,
    });
  }

  asked(dialogue: Dialogue, message: ClientMessage): void {
    const stay = this.#stays.get(dialogue);
    if (!stay || stay.user !== undefined || message.type !== "hello" || message.token === undefined) return;
    const identity = this.#scene.tokens.identity(message.token);
    if (!identity) return;
    stay.user = `${identity.tenant} ${identity.user}`;
    stay.saidAt = this.#scene.clock.now;
  }

  told(dialogue: Dialogue, message: ServerMessage, request: ClientMessage | undefined): void {
    const stay = this.#stays.get(dialogue);
    const { now } = this.#scene.clock;
    if (!stay) return;
    if (message.type === "welcome" && request?.type === "hello") stay.welcomedAt = now;
    if (message.type !== "error" || message.code !== "too-many-connections") return;
    stay.refused = request?.type === "hello" ? "user" : "address";
    stay.refusedAt = now;
  }

  ended(dialogue: Dialogue): void {
    const stay = this.#stays.get(dialogue);
    if (stay) stay.endedAt = Math.min(stay.endedAt, this.#scene.clock.now);
  }

  conclude(): void {
    const { connectionsPerUser, connectionsPerAddress } = this.#scene.limits;
    const stays = [...this.#stays.values()];
    for (const stay of stays) {
      const beside = (other: Stay) => other.dialogue.connection.node === stay.dialogue.connection.node;
      const same = stays.filter((other) => other !== stay && beside(other));
      const ofUser = same.filter((other) => other.user !== undefined && other.user === stay.user);
      const ofAddress = same.filter((other) => other.dialogue.connection.client === stay.dialogue.connection.client);
      const { refused, refusedAt, welcomedAt } = stay;
      // Who said who it is may have its place already, and has it until it is gone.
      const near = (other: Stay) =>
        other.refused === undefined && other.saidAt <= refusedAt && other.endedAt >= refusedAt;
      if (refused === "user" && ofUser.filter(near).length < connectionsPerUser)
        this.#wrong(stay, refusedAt, "was one connection too many of its user, and is not");
      const close = (other: Stay) => other.begunAt <= refusedAt && other.endedAt >= refusedAt;
      if (refused === "address" && ofAddress.filter(close).length < connectionsPerAddress)
        this.#wrong(stay, refusedAt, "was one connection too many from its address, and is not");
      const there = (other: Stay) => other.welcomedAt <= welcomedAt && other.endedAt > welcomedAt;
      // Where answers are held back, it was let in before it was told so.
      const isTold = welcomedAt < Number.POSITIVE_INFINITY && !stay.dialogue.connection.holds;
      if (isTold && ofUser.filter(there).length >= connectionsPerUser)
        this.#wrong(stay, welcomedAt, "is one connection too many of its user, and was let in");
    }
  }

  #wrong({ dialogue }: Stay, at: number, what: string): void {
    const { node, client } = dialogue.connection;
    this.#scene.history.violate("C9", at, `${client.name} at ${node.name} ${what}`);
  }
}
