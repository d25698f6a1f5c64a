import type { AnyModel } from "@tandem/model";
import { upcastEvent } from "@tandem/model";
import type { Append } from "@tandem/server/core";
import { nameIn } from "../eyes.ts";
import type { Fact, Ledger } from "../ledger.ts";
import type { Command } from "./book.ts";
import { lockFor, modelEventOf, models } from "./desk.ts";

interface Raised {
  readonly at: number;
  readonly token: number;
  readonly free: boolean;
}

/** G7: the tokens that were raised, and whether what is protected came with the newest one. */
export class Fences {
  readonly #ledger: Ledger;
  /** By channel and lock. */
  readonly #raised = new Map<string, Raised[]>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** An append is stored: was it allowed? Asked before what it raises is noted. */
  wrongWith(
    { channel, fence, producer }: Append,
    facts: readonly Fact[],
    command: Command | undefined,
  ): string | undefined {
    const [first] = facts;
    const write = command ?? (first && { event: first.type, data: JSON.parse(first.data) as unknown });
    const needed = write && lockFor(nameIn(channel), write);
    // The application need not hold a lock.
    const isApplication = producer.user === "";
    if (needed !== undefined && !isApplication && fence?.name !== needed)
      return `stored without the token of ${needed}`;
    if (!fence) return undefined;
    const newest = this.#newest(channel, fence.name);
    return fence.token === newest
      ? undefined
      : `stored under the token ${fence.token} of ${fence.name}, the newest is ${newest}`;
  }

  note(at: number, fact: Fact): void {
    const event = modelEventOf(fact);
    if (!event) return;
    const model: AnyModel = models[event.name];
    const fence = model.fence({ type: event.type, data: upcastEvent(model, event) });
    if (!fence) return;
    const key = `${fact.channel} ${event.name}/${fence.name}`;
    const raised = this.#raised.get(key) ?? [];
    raised.push({ at, token: fence.token, free: fence.free ?? false });
    this.#raised.set(key, raised);
  }

  /** Over all lives of the channel; `undefined` where nobody holds the lock. */
  #newest(channel: string, name: string): number | undefined {
    let newest: Raised | undefined;
    for (const raised of this.#raised.get(`${channel} ${name}`) ?? []) {
      const { at, token } = raised;
      if (this.#ledger.restorations.some((one) => at > one.backupAt && at <= one.at)) continue;
      if (!newest || token > newest.token) newest = raised;
    }
    return newest?.free ? undefined : newest?.token;
  }
}
