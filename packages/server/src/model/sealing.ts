import type { Sealing } from "@tandem/model";
import type { SealingKey } from "../log/log.ts";
import type { Vault } from "./vault.ts";

/** The keys of one model as one decision uses them, and what it changes of them. */
export class DecisionSealing implements Sealing {
  readonly #keys: ReadonlyMap<string, string>;
  readonly #vault: Vault;
  readonly #created = new Map<string, string>();
  readonly #destroyed = new Set<string>();

  constructor(keys: ReadonlyMap<string, string>, vault: Vault) {
    this.#keys = keys;
    this.#vault = vault;
  }

  create(name: string): void {
    this.#created.set(name, this.#vault.newKey());
  }

  seal(name: string, value: unknown, bytes: number): string {
    const text = JSON.stringify(value) ?? "null";
    if (Buffer.byteLength(text) > bytes) throw new RangeError(`a secret may take ${bytes} bytes of JSON`);
    const key = this.#key(name);
    if (key === undefined) throw new RangeError(`there is no key ${name}`);
    return this.#vault.seal(key, text.padEnd(text.length + bytes - Buffer.byteLength(text)));
  }

  open(name: string, sealed: string): unknown {
    const key = this.#key(name);
    const text = key === undefined ? undefined : this.#vault.open(key, sealed);
    return text === undefined ? undefined : JSON.parse(text);
  }

  destroy(name: string): void {
    if (!this.#created.delete(name)) this.#destroyed.add(name);
  }

  /** What is to be stored with the decision's events; `undefined` where nothing changes. */
  get changes(): { readonly create: readonly SealingKey[]; readonly destroy: readonly string[] } | undefined {
    if (this.#created.size === 0 && this.#destroyed.size === 0) return undefined;
    return { create: [...this.#created].map(([name, key]) => ({ name, key })), destroy: [...this.#destroyed] };
  }

  /** The keys as the next decision finds them. */
  after(): ReadonlyMap<string, string> {
    if (!this.changes) return this.#keys;
    const keys = new Map([...this.#keys, ...this.#created]);
    for (const name of this.#destroyed) keys.delete(name);
    return keys;
  }

  #key(name: string): string | undefined {
    return this.#destroyed.has(name) ? undefined : (this.#created.get(name) ?? this.#keys.get(name));
  }
}
