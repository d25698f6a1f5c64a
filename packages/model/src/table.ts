const BITS = 5;
const WIDTH = 1 << BITS;
/** Levels of branches: below them, entries whose hashes agree stand in one list. */
const LEVELS = Math.ceil(32 / BITS);

interface Branch<V> {
  /** Which of the 32 slots are taken. */
  readonly taken: number;
  readonly slots: readonly Slot<V>[];
}

interface Leaf<V> {
  readonly hash: number;
  /** Sorted by key; more than one only where their hashes agree. */
  readonly entries: readonly (readonly [key: string, value: V])[];
}

type Slot<V> = Branch<V> | Leaf<V>;

const EMPTY: Branch<never> = { taken: 0, slots: [] };

/**
 * A persistent map from texts to values, for large collections in a model's state: a changed copy shares all but a few branches with the
 * table that it comes from, so that a change costs the same in ten rows and in a hundred thousand.
 *
 * The order of its entries is that of their keys' hashes: the same for the same keys, whatever their history; of no meaning.
 */
export class Table<V> implements Iterable<readonly [key: string, value: V]> {
  readonly #root: Branch<V>;
  readonly size: number;

  private constructor(root: Branch<V>, size: number) {
    this.#root = root;
    this.size = size;
  }

  static empty<V>(): Table<V> {
    return new Table<V>(EMPTY, 0);
  }

  static of<V>(entries: Iterable<readonly [key: string, value: V]>): Table<V> {
    let table = Table.empty<V>();
    for (const [key, value] of entries) table = table.set(key, value);
    return table;
  }

  get(key: string): V | undefined {
    const hash = hashOf(key);
    let slot: Slot<V> = this.#root;
    for (let shift = 0; "slots" in slot; shift += BITS) {
      const bit = 1 << ((hash >>> shift) & (WIDTH - 1));
      if ((slot.taken & bit) === 0) return undefined;
      slot = slot.slots[below(slot.taken, bit)] as Slot<V>;
    }
    return slot.entries.find(([name]) => name === key)?.[1];
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** A copy with this entry. The value `undefined` takes the entry away. */
  set(key: string, value: V): Table<V> {
    if (value === undefined) return this.delete(key);
    const before = this.get(key);
    if (before === value) return this;
    const root = inserted(this.#root, 0, hashOf(key), key, value) as Branch<V>;
    return new Table(root, this.size + (before === undefined ? 1 : 0));
  }

  /** A copy without this entry. */
  delete(key: string): Table<V> {
    if (this.get(key) === undefined) return this;
    return new Table((removed(this.#root, 0, hashOf(key), key) as Branch<V> | undefined) ?? EMPTY, this.size - 1);
  }

  /** A copy in which an entry is what `change` makes of it; `undefined` takes it away. */
  update(key: string, change: (value: V | undefined) => V | undefined): Table<V> {
    return this.set(key, change(this.get(key)) as V);
  }

  [Symbol.iterator](): Iterator<readonly [key: string, value: V]> {
    return walk<V>(this.#root, undefined);
  }

  /** The entries that come after a key's place, whether or not the key is there. */
  after(key: string): Iterable<readonly [key: string, value: V]> {
    return walk<V>(this.#root, { hash: hashOf(key), key });
  }

  *keys(): IterableIterator<string> {
    for (const [key] of this) yield key;
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this) yield value;
  }
}

/** How many of the slots below a bit are taken. */
function below(taken: number, bit: number): number {
  let rest = taken & (bit - 1);
  let count = 0;
  for (; rest !== 0; rest &= rest - 1) count++;
  return count;
}

function inserted<V>(slot: Slot<V>, level: number, hash: number, key: string, value: V): Slot<V> {
  if (!("slots" in slot)) {
    if (slot.hash === hash) {
      const others = slot.entries.filter(([name]) => name !== key);
      return { hash, entries: [...others, [key, value] as const].sort(([a], [b]) => (a < b ? -1 : 1)) };
    }
    const bit = 1 << ((slot.hash >>> (level * BITS)) & (WIDTH - 1));
    return inserted({ taken: bit, slots: [slot] }, level, hash, key, value);
  }
  const bit = 1 << ((hash >>> (level * BITS)) & (WIDTH - 1));
  const at = below(slot.taken, bit);
  const child = slot.slots[at];
  if ((slot.taken & bit) === 0 || child === undefined) {
    const leaf: Leaf<V> = { hash, entries: [[key, value]] };
    return { taken: slot.taken | bit, slots: slot.slots.toSpliced(at, 0, leaf) };
  }
  return { taken: slot.taken, slots: slot.slots.with(at, inserted(child, level + 1, hash, key, value)) };
}

/** @returns `undefined` where nothing is left. A branch with a single leaf becomes that leaf: equal tables have equal shapes. */
function removed<V>(slot: Slot<V>, level: number, hash: number, key: string): Slot<V> | undefined {
  if (!("slots" in slot)) {
    const entries = slot.entries.filter(([name]) => name !== key);
    return entries.length > 0 ? { hash: slot.hash, entries } : undefined;
  }
  const bit = 1 << ((hash >>> (level * BITS)) & (WIDTH - 1));
  const at = below(slot.taken, bit);
  const child = removed(slot.slots[at] as Slot<V>, level + 1, hash, key);
  if (child === undefined) {
    if (slot.slots.length === 1) return undefined;
    const slots = slot.slots.toSpliced(at, 1);
    const [only] = slots;
    if (level > 0 && slots.length === 1 && only && !("slots" in only)) return only;
    return { taken: slot.taken & ~bit, slots };
  }
  if (level > 0 && slot.slots.length === 1 && !("slots" in child)) return child;
  return { taken: slot.taken, slots: slot.slots.with(at, child) };
}

/** The entries below a branch in order, from after a place on. */
function* walk<V>(
  root: Branch<V>,
  after: { readonly hash: number; readonly key: string } | undefined,
): Generator<readonly [string, V], undefined> {
  // The branches on the way down, each with the slot that comes next in it.
  const path: { readonly branch: Branch<V>; at: number }[] = [];
  if (after === undefined) path.push({ branch: root, at: 0 });
  else {
    let slot: Slot<V> | undefined = root;
    for (let shift = 0; slot !== undefined && "slots" in slot; shift += BITS) {
      const bit = 1 << ((after.hash >>> shift) & (WIDTH - 1));
      const at = below(slot.taken, bit);
      const child: Slot<V> | undefined = (slot.taken & bit) === 0 ? undefined : slot.slots[at];
      path.push({ branch: slot, at: child === undefined ? at : at + 1 });
      slot = child;
    }
    if (slot !== undefined && !("slots" in slot)) {
      const order = compare(slot.hash, after.hash);
      for (const entry of slot.entries) if (order > 0 || (order === 0 && entry[0] > after.key)) yield entry;
    }
  }
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const slot = top.branch.slots[top.at++];
    if (slot === undefined) path.pop();
    else if ("slots" in slot) path.push({ branch: slot, at: 0 });
    else yield* slot.entries;
  }
}

/** Which of two hashes comes first where branches are gone through in order: their lowest digits count first. */
function compare(a: number, b: number): number {
  for (let level = 0; level < LEVELS; level++) {
    const order = ((a >>> (level * BITS)) & (WIDTH - 1)) - ((b >>> (level * BITS)) & (WIDTH - 1));
    if (order !== 0) return order;
  }
  return 0;
}

/** FNV-1a, with a last round of mixing: keys that count up are spread over all branches. */
export function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
