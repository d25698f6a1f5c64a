import type { ClientMessage, ServerMessage } from "@tandem/protocol";
import { publishNumber } from "../ledger.ts";
import type { Dialogue } from "./dialogue.ts";
import type { Scene } from "./scene.ts";
import type { Watcher } from "./watcher.ts";

/** Rates are told a second. */
const PERIOD_MS = 1_000;

/** Times are fractions: a token that comes within this, in milliseconds, may be there or not. */
const TOLERANCE_MS = 1.5;

/** A publish, or what counts as one, that has reached a node. */
interface Arrival {
  readonly at: number;
  readonly dialogue: Dialogue;
  readonly number: number;
  /** What it was answered; `undefined` where its connection was lost before. */
  answer: string | undefined;
}

/** Refusals that a publish may meet before its rate is looked at. */
const EARLIER = new Set(["needs-auth", "too-many-requests", "request-in-use"]);

/** What takes from the rate of publishes. */
const COUNTED: ReadonlySet<string> = new Set(["publish", "command", "follow", "unfollow"]);

/** W8: over a rate a publish is refused before the log sees it; under it, it never is. Each node counts by itself. */
export class Rates implements Watcher {
  readonly #scene: Scene;
  readonly #arrivals: Arrival[] = [];
  readonly #waiting = new WeakMap<ClientMessage, Arrival>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  asked(dialogue: Dialogue, message: ClientMessage): void {
    // A change of what is followed counts as a publish, of no number; a command as well.
    if (!COUNTED.has(message.type)) return;
    const number = message.type === "publish" ? publishNumber(JSON.stringify(message.data) ?? "") : 0;
    const arrival: Arrival = { at: this.#scene.clock.now, dialogue, number, answer: undefined };
    this.#arrivals.push(arrival);
    this.#waiting.set(message, arrival);
  }

  told(_dialogue: Dialogue, message: ServerMessage, request: ClientMessage | undefined): void {
    const arrival = request && this.#waiting.get(request);
    if (arrival) arrival.answer = message.type === "error" ? message.code : message.type;
  }

  conclude(): void {
    const admitted = new Buckets(this.#scene);
    const possible = new Buckets(this.#scene);
    // What came with `hello` in one request waited for its answer: when it took its share of a rate, nobody can tell from here.
    const unsure = new Set<string>();
    for (const { dialogue } of this.#arrivals) if (dialogue.connection.holds) unsure.add(nodeOf(dialogue));
    for (const arrival of this.#arrivals) {
      if (unsure.has(nodeOf(arrival.dialogue))) continue;
      const { answer } = arrival;
      if (answer === "rate-limited") {
        if (possible.has(arrival, -TOLERANCE_MS)) this.#wrong(arrival, "was refused under its rate");
        continue;
      }
      possible.take(arrival);
      if (answer === undefined || EARLIER.has(answer)) continue;
      if (!admitted.has(arrival, TOLERANCE_MS)) this.#wrong(arrival, "was let through over its rate");
      admitted.take(arrival);
    }
    this.#checkStored();
  }

  /** What is stored came by some attempt that was not refused for its rate. */
  #checkStored(): void {
    const firstLet = new Map<number, number>();
    const refused = new Map<number, Arrival>();
    for (const arrival of this.#arrivals) {
      if (arrival.answer === "rate-limited") refused.set(arrival.number, arrival);
      else if (!firstLet.has(arrival.number)) firstLet.set(arrival.number, arrival.at);
    }
    for (const [number, arrival] of refused) {
      const [fact] = this.#scene.ledger.ofPublish(number);
      if (fact && fact.firstCommittedAt < (firstLet.get(number) ?? Number.POSITIVE_INFINITY))
        this.#wrong(arrival, "was refused for its rate, and stored all the same");
    }
  }

  #wrong({ at, number, dialogue }: Arrival, what: string): void {
    this.#scene.history.violate("W8", at, `publish ${number} of ${dialogue.connection.client.name} ${what}`);
  }
}

/** Who shares a rate may be known only later, or never: a node that such requests came to is left out. */
function nodeOf({ connection }: Dialogue): string {
  return connection.node.name;
}

/** What is left of the rates of connections, users and addresses: each a bucket that holds a second's worth. */
class Buckets {
  readonly #limits: Scene["limits"];
  readonly #fullAt = new Map<unknown, number>();
  readonly #names = new Map<string, object>();

  constructor({ limits }: Scene) {
    this.#limits = limits;
  }

  has(arrival: Arrival, tolerance: number): boolean {
    return this.#owners(arrival).every(
      ([owner, rate]) => this.#after(owner, rate, arrival.at) <= arrival.at + PERIOD_MS + tolerance,
    );
  }

  take(arrival: Arrival): void {
    for (const [owner, rate] of this.#owners(arrival)) this.#fullAt.set(owner, this.#after(owner, rate, arrival.at));
  }

  #after(owner: unknown, rate: number, now: number): number {
    return Math.max(this.#fullAt.get(owner) ?? 0, now) + PERIOD_MS / rate;
  }

  #owners({ dialogue }: Arrival): [owner: unknown, rate: number][] {
    const { connection, identity } = dialogue;
    const { publishesPerConnection, publishesPerUser, publishesPerAddress } = this.#limits;
    return [
      [connection, publishesPerConnection],
      [this.#name(`${connection.node.name} ${identity?.tenant} ${identity?.user}`), publishesPerUser],
      [this.#name(`${connection.node.name} from ${connection.client.name}`), publishesPerAddress],
    ];
  }

  #name(name: string): object {
    const known = this.#names.get(name) ?? {};
    this.#names.set(name, known);
    return known;
  }
}
