import { Cell } from "@tandem/runtime";

/** Where things are kept between visits: the browser's `localStorage`, as far as it lets us. */
export interface Keep {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export const NAME_LIMIT = 40;

const NAME = "tandem.name";
const SECRET = "tandem.guest";

/** Who sits before this browser. The secret makes every visit the same guest to the server; the name is for people. */
export class Person {
  /** Empty until the person has said it. */
  readonly name: Cell<string>;
  readonly secret: string;
  readonly #keep: Keep | undefined;

  /** @param keep left out: remembered until the page is closed @param newSecret 22 to 64 letters of base64url */
  constructor(keep: Keep | undefined, newSecret: () => string) {
    this.#keep = keep;
    const kept = this.#read(SECRET);
    this.secret = /^[A-Za-z0-9_-]{22,64}$/.test(kept) ? kept : newSecret();
    if (this.secret !== kept) this.#write(SECRET, this.secret);
    this.name = new Cell(this.#read(NAME).trim().slice(0, NAME_LIMIT));
  }

  /** Takes a name. Blank: the name stays. */
  rename(name: string): void {
    const trimmed = name.trim().slice(0, NAME_LIMIT).trim();
    if (trimmed === "") return;
    this.#write(NAME, trimmed);
    this.name.set(trimmed);
  }

  #read(key: string): string {
    try {
      return this.#keep?.getItem(key) ?? "";
    } catch {
      // A browser may forbid its storage to pages: then the person is asked again on the next visit.
      return "";
    }
  }

  #write(key: string, value: string): void {
    try {
      this.#keep?.setItem(key, value);
    } catch {
      // As above; the quota may also be used up. The page works all the same.
    }
  }
}

/** The browser's store for this page, or `undefined` where it is forbidden: then even naming it throws. `window`: of this window only. */
export function browserKeep(of: "browser" | "window"): Keep | undefined {
  try {
    return of === "browser" ? localStorage : sessionStorage;
  } catch {
    return undefined;
  }
}

/** A guest's secret: 32 random letters of base64url. */
export function randomSecret(): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => letters[byte & 63]).join("");
}

const WINDOW = "tandem.window";

/** Names this window among those of its person: the same after a reload. A copy of a window that the browser makes has the same name. */
export function windowId(keep: Keep | undefined, newId: () => string): string {
  try {
    const kept = keep?.getItem(WINDOW);
    if (kept && kept.length <= 64) return kept;
    const id = newId();
    keep?.setItem(WINDOW, id);
    return id;
  } catch {
    // As with the name: until the page is closed.
    return newId();
  }
}
