import type { Members } from "@tandem/protocol";
import type { Connection } from "../connection.ts";
import type { Tally } from "../tally.ts";
import { Picture } from "./picture.ts";

type Wrong = (rule: string, text: string) => void;

/**
 * What bookmarks name (R14): the same one never two different pictures of who is there, on whichever node; and who comes with one is told nothing that it
 * knows.
 */
export class Bookmarks {
  readonly #tally: Tally;
  /** By hall and name. */
  readonly #pictures = new Map<string, Picture>();
  readonly #now = new Map<Connection, Map<string, Picture>>();

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  /** A watch stands. @param key of the hall, `tenant/channel` @param after the bookmark that the client came with */
  begin(connection: Connection, key: string, after: string | undefined): void {
    const pictures = this.#now.get(connection) ?? new Map<string, Picture>();
    this.#now.set(connection, pictures);
    const before = after === undefined ? undefined : this.#pictures.get(`${key} ${nameOf(after)}`);
    if (before) this.#tally.count("path", "bookmark.brought");
    pictures.set(key, new Picture(before));
  }

  members(connection: Connection, key: string, message: Members, wrong: Wrong): void {
    const told = this.#now.get(connection)?.get(key)?.take(message);
    if (told === "same") wrong("R14", "who came with a bookmark was told what it has");
    if (told === "changed") this.#tally.count("path", message.full ? "bookmark.all-anew" : "bookmark.difference");
  }

  told(connection: Connection, key: string, bookmark: string, wrong: Wrong): void {
    const name = nameOf(bookmark);
    const picture = this.#now.get(connection)?.get(key);
    if (name === "" || !picture) return;
    if (!picture.isWhole) return wrong("R14", `bookmark ${name} was given before all was told`);
    const known = this.#pictures.get(`${key} ${name}`);
    if (known && known.text !== picture.text)
      wrong("R14", `bookmark ${name} names ${picture.text}, and before it named ${known.text}`);
    this.#pictures.set(`${key} ${name}`, new Picture(picture));
  }

  ended(connection: Connection): void {
    this.#now.delete(connection);
  }
}

/** The part that names who is there. */
function nameOf(bookmark: string): string {
  return bookmark.slice(0, bookmark.indexOf("."));
}
