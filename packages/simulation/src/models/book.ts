import type { FenceToken, Position } from "@tandem/protocol";
import { bodyDigest } from "@tandem/protocol";
import type { Fact } from "../ledger.ts";
import { modelNamed } from "./desk.ts";

/** A command as somebody asks it. */
export interface Asked {
  /** `tenant/type:id`. */
  readonly channel: string;
  /** `undefined`: the application. */
  readonly user: string | undefined;
  readonly model: string;
  readonly command: string;
  readonly version: number;
  /** A JSON value. */
  readonly input: unknown;
  readonly nonce: string;
  readonly fence: FenceToken | undefined;
  readonly admin: boolean;
}

/** How a command ended, as its sender was told. */
type CommandVerdict =
  | { readonly kind: "confirmed"; readonly position: Position }
  | { readonly kind: "rejected"; readonly code: string }
  | { readonly kind: "unknown" };

/** A command, and everything that became of it. */
export interface Command extends Asked {
  /** When it came to a node first; `undefined`: it never did. */
  askedAt: number | undefined;
  /** Who sent it, where somebody waits for what becomes of it: the client's instance, or the node. */
  by: string | undefined;
  readonly statuses: string[];
  verdict: CommandVerdict | undefined;
  settledAt: number | undefined;
  /** What the log made of it. */
  readonly commits: { readonly at: number; readonly position: Position; readonly first: Fact | undefined }[];
  readonly refusals: { readonly at: number; readonly code: string }[];
}

/** By what the log knows a command again: told by nobody, worked out as the specification says. */
function digestOf({ model, command, version, input, nonce }: Asked): string {
  const declared = modelNamed(model)?.commands[command];
  const body = declared?.secret ? nonce : `${nonce}${JSON.stringify(input) ?? ""}`;
  return bodyDigest(`${model}.${command}`, version, body);
}

/** All commands of a schedule. */
export class Book {
  readonly #commands = new Map<string, Command>();
  readonly #nameless = new Map<string, (command: Command) => void>();

  get commands(): Iterable<Command> {
    return this.#commands.values();
  }

  /** The command whose attempts have this digest. */
  find(digest: string): Command | undefined {
    return this.#commands.get(digest);
  }

  /** Somebody sends it. */
  sent(asked: Asked, by: string): Command {
    const command = this.#of(asked);
    command.by = by;
    return command;
  }

  /** Something is sent of which no more is known than its nonce: what it is comes to light at a node. */
  expect(nonce: string, known: (command: Command) => void): void {
    this.#nameless.set(nonce, known);
  }

  /** An attempt of it comes to a node. */
  arrived(asked: Asked, at: number): Command {
    const command = this.#of(asked);
    command.askedAt ??= at;
    const known = this.#nameless.get(asked.nonce);
    this.#nameless.delete(asked.nonce);
    known?.(command);
    return command;
  }

  #of(asked: Asked): Command {
    const digest = digestOf(asked);
    const known = this.#commands.get(digest);
    if (known) return known;
    const fresh = { askedAt: undefined, by: undefined, statuses: [], verdict: undefined, settledAt: undefined };
    const command: Command = { ...asked, ...fresh, commits: [], refusals: [] };
    this.#commands.set(digest, command);
    return command;
  }
}
