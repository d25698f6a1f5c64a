import type { Members } from "@tandem/protocol";

/** Who is there as one client was told, also over several connections. */
export class Picture {
  readonly #members: Map<string, string>;
  #rest: string;
  /** What it was when the client came with its bookmark, until it is told something. */
  #before: string | undefined;
  /** There is more to come of what is shown together. */
  #isPartial = false;

  /** @param before what the client has by its bookmark */
  constructor(before?: Picture) {
    this.#members = new Map(before ? before.#members : []);
    this.#rest = before ? before.#rest : "";
    this.#before = before && this.text;
  }

  /** The same for all who are shown the same. */
  get text(): string {
    return [this.#rest, ...[...this.#members.values()].sort()].join("\n");
  }

  /** @returns what it told one who came with a bookmark: `same`, where that was all known, or what it has `changed` */
  take({ full, more, members, gone = [], count, signalMs }: Members): "same" | "changed" | undefined {
    if (full) this.#members.clear();
    for (const device of gone) this.#members.delete(device);
    for (const member of members) {
      const { device, user, name, status, since, state } = member;
      this.#members.set(device, JSON.stringify({ device, user, name, status, since, state }));
    }
    this.#rest = `${count} ${signalMs}`;
    this.#isPartial = more === true;
    if (this.#isPartial || this.#before === undefined) return undefined;
    const told = this.text === this.#before ? "same" : "changed";
    this.#before = undefined;
    return told;
  }

  /** It is whole. */
  get isWhole(): boolean {
    return !this.#isPartial && this.#rest !== "";
  }
}
