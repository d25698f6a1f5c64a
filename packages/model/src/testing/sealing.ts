import type { Sealing } from "../decision.ts";
import { lettersOf } from "./chance.ts";

/** Keys outside the log, as a rehearsal has them: nothing is encrypted, but what was sealed can be opened with its key only. */
export class SealedThings {
  /** The present key of each name. */
  #keys = new Map<string, string>();
  /** What was sealed: its JSON and its key. */
  readonly #sealed = new Map<string, { readonly key: string; readonly json: string }>();

  /** The names of the keys that there are. */
  get names(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /** Sealing for one decision; what it makes and destroys counts once `commit` is called. The same for the same `nonce`. */
  decision(nonce: string): { readonly sealing: Sealing; readonly commit: () => void } {
    const keys = new Map(this.#keys);
    let made = 0;
    const sealing: Sealing = {
      create: (name) => {
        if (keys.has(name)) throw new RangeError(`there is a key "${name}" already`);
        keys.set(name, lettersOf(`key/${nonce}/${made++}`, 22));
      },
      seal: (name, value, bytes) => {
        const key = keys.get(name);
        if (key === undefined) throw new RangeError(`there is no key "${name}"`);
        const json = JSON.stringify(value);
        if (new TextEncoder().encode(json).length > bytes) throw new RangeError(`longer than ${bytes} bytes`);
        const sealed = lettersOf(`seal/${key}/${nonce}/${made++}`, Math.ceil(((bytes + 28) * 4) / 3));
        this.#sealed.set(sealed, { key, json });
        return sealed;
      },
      open: (name, sealed) => {
        const thing = this.#sealed.get(sealed);
        return thing !== undefined && thing.key === keys.get(name) ? JSON.parse(thing.json) : undefined;
      },
      destroy: (name) => {
        keys.delete(name);
      },
    };
    return {
      sealing,
      commit: () => {
        this.#keys = keys;
      },
    };
  }
}
