import type { Member, Members, Signals } from "@tandem/protocol";
import { isCrowd, overshown } from "./crowd.ts";
import type { Numbered } from "./hall.ts";
import type { Roll } from "./roll.ts";

/** What a watching is held against. */
export interface WatchingPorts {
  readonly roll: Roll;
  /** `tenant/channel`. */
  readonly key: string;
  readonly channel: string;
  wrong(rule: string, text: string): void;
}

/**
 * One watch of one connection: each member that it is told of has entered there under its own device, says nothing that its client did
 * not say, and of no device is anything older told after something newer.
 */
export class Watching {
  /** It was told who is there. */
  isTold = false;
  readonly #ports: WatchingPorts;
  /** All that it is shown is known here: it did not go on from a bookmark, or was told everything since. */
  #isWhole: boolean;
  /** Who it is shown, and what they say of themselves. */
  readonly #shown = new Map<string, number | undefined>();
  readonly #stated = new Map<string, number>();
  readonly #signalled = new Map<string, number>();

  constructor(ports: WatchingPorts, isWhole = true) {
    this.#ports = ports;
    this.#isWhole = isWhole;
  }

  told(message: Members): void {
    this.members(message.members);
    if (message.full) {
      this.#shown.clear();
      this.#isWhole = true;
    }
    for (const device of message.gone ?? []) this.#shown.delete(device);
    for (const { device, state } of message.members) this.#shown.set(device, (state as Numbered | undefined)?.n);
    const { channel, wrong } = this.#ports;
    const problem = this.#isWhole && isCrowd(channel) && !message.more ? overshown(this.#shown) : undefined;
    if (problem !== undefined) wrong("R6", problem);
    this.isTold = true;
  }

  members(members: readonly Member[]): void {
    const { roll, key, wrong } = this.#ports;
    for (const { device, user, state, status } of members) {
      const place = roll.place(key, device);
      if (!place?.hasEntered) {
        wrong("R5", `shows ${device} of ${user}, who has never entered`);
        continue;
      }
      if (place.user !== user) wrong("R5", `shows ${device} as ${user}'s, and it is ${place.user}'s`);
      const n = (state as Numbered | undefined)?.n;
      const said = place.said.filter((statement) => statement.n === n);
      const fits = said.some(({ activity }) => status === "reconnecting" || activity === status);
      if (!fits) wrong("R2", `shows ${user} with ${n} and ${status}, which was never said`);
      const newest = Math.max(0, ...said.map(({ seq }) => seq));
      const before = this.#stated.get(device) ?? 0;
      if (newest < before)
        wrong("R2", `${user} said ${n} under ${newest}, and what was said under ${before} was told before`);
      // The same may have been said again: what it is now is not known better than by the oldest time.
      this.#stated.set(device, Math.max(before, Math.min(newest, ...said.map(({ seq }) => seq))));
    }
  }

  /** @param isSettled who is there has not changed for a while */
  signals({ signals }: Signals, isSettled: boolean): void {
    const { roll, key, wrong } = this.#ports;
    for (const [name, devices] of Object.entries(signals)) {
      for (const [device, data] of Object.entries(devices)) {
        if (data === null) continue;
        if (isSettled && this.#isWhole && !this.#shown.has(device))
          wrong("R6", `${name} of ${device}, who is not shown`);
        const { n } = data as unknown as Numbered;
        const seq = roll.place(key, device)?.signals.get(name)?.get(n);
        if (seq === undefined) {
          wrong("R7", `${name} ${n} of ${device}, which no member has signalled`);
          continue;
        }
        const slot = `${device} ${name}`;
        const before = this.#signalled.get(slot) ?? 0;
        if (seq < before) wrong("R8", `${name} ${n} of ${device} is older than what was told before`);
        this.#signalled.set(slot, Math.max(seq, before));
      }
    }
  }
}
