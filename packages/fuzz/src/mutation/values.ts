import * as fc from "fast-check";

/** Changes the messages of a frame; `others` are those of another one. Both are the mutation's own to change. */
export type ValueMutation = (messages: unknown[], others: readonly unknown[]) => unknown[];

type Holder = Record<string, unknown>;

/** Every place in a value that holds another: the holder and its key. */
function places(root: unknown[]): { readonly holder: Holder; readonly key: string }[] {
  const found: { holder: Holder; key: string }[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
    for (const key of Object.keys(value)) {
      found.push({ holder: value as Holder, key });
      if (found.length < 256) visit((value as Holder)[key]);
    }
  };
  visit(root);
  return found;
}

function nested(depth: number, list: boolean): unknown {
  let value: unknown = 1;
  for (let at = 0; at < depth; at++) value = list ? [value] : { a: value };
  return value;
}

/** Numbers at the edges of what something takes them for. */
const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  255,
  256,
  10_000,
  10_001,
  65_536,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 53 + 2,
  -(2 ** 53),
  1e21,
  1e308,
  5e-324,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

const TEXTS = [
  "",
  " ",
  "\u0000",
  "\ud800",
  "\udfff",
  "\ufeff",
  "\u202e",
  "é",
  "e\u0301",
  "ｒｏｏｍ:1",
  "room:*",
  "*",
  "../room:1",
  "control:1",
  "$system:revocations",
  "__proto__",
  "constructor",
  "toString",
  "1",
  "null",
  "true",
  "[]",
  "{}",
  "-",
  "room:1",
  "note:1",
  "feed:1",
  "none:1",
  "message",
  "publish",
  "hello",
  "events",
  "critical",
];

const extreme: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: fc.constantFrom<unknown>(...NUMBERS), weight: 4 },
  { arbitrary: fc.constantFrom<unknown>(...TEXTS), weight: 4 },
  { arbitrary: fc.constantFrom<unknown>(null, true, false, undefined), weight: 3 },
  {
    arbitrary: fc
      .constantFrom<() => unknown>(
        () => [],
        () => ({}),
        () => [null],
        () => new Date(0),
      )
      .map((make) => make()),
    weight: 2,
  },
  { arbitrary: fc.uint8Array({ maxLength: 32 }), weight: 1 },
  {
    arbitrary: fc
      .tuple(fc.constantFrom(2, 31, 32, 33, 64, 1_000, 4_000), fc.boolean())
      .map(([depth, list]) => nested(depth, list)),
    weight: 1,
  },
  { arbitrary: fc.nat(20_000).map((length) => "x".repeat(length)), weight: 1 },
  { arbitrary: fc.anything({ maxDepth: 3, maxKeys: 4 }), weight: 1 },
  { arbitrary: fc.string({ unit: "binary", maxLength: 24 }), weight: 1 },
);

const at = fc.nat(0xffff);

const change: fc.Arbitrary<ValueMutation> = fc.oneof(
  // A field's value becomes another: of its type, of another type.
  {
    weight: 6,
    arbitrary: fc.tuple(at, extreme).map(
      ([index, value]): ValueMutation =>
        (messages) => {
          const all = places(messages);
          const place = all[index % all.length];
          if (place) place.holder[place.key] = value;
          return messages;
        },
    ),
  },
  // A field is taken from another message.
  {
    weight: 4,
    arbitrary: fc.tuple(at, at).map(
      ([index, other]): ValueMutation =>
        (messages, others) => {
          const all = places([...others]);
          const from = all[other % Math.max(1, all.length)];
          const target = messages[index % messages.length];
          if (from && typeof target === "object" && target !== null)
            (target as Holder)[from.key] = from.holder[from.key];
          return messages;
        },
    ),
  },
  // Two fields change places.
  {
    weight: 2,
    arbitrary: fc.tuple(at, at).map(
      ([one, two]): ValueMutation =>
        (messages) => {
          const all = places(messages).filter(({ holder }) => !Array.isArray(holder));
          const [a, b] = [all[one % all.length], all[two % all.length]];
          if (a && b) [a.holder[a.key], b.holder[b.key]] = [b.holder[b.key], a.holder[a.key]];
          // A value that became part of itself cannot be written.
          return circular(messages) ? [] : messages;
        },
    ),
  },
  {
    weight: 2,
    arbitrary: at.map(
      (index): ValueMutation =>
        (messages) => {
          const all = places(messages);
          const place = all[index % all.length];
          if (place) delete place.holder[place.key];
          return messages;
        },
    ),
  },
  // A field too many, some with names that objects have already.
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        at,
        fc.constantFrom("constructor", "prototype", "__proto__", "toString", "admin", "id", "type", "\u0000"),
        extreme,
      )
      .map(
        ([index, key, value]): ValueMutation =>
          (messages) => {
            const target = messages[index % messages.length];
            if (typeof target === "object" && target !== null)
              Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
            return messages;
          },
      ),
  },
  // The messages of another frame behind these, or these many times over.
  { weight: 1, arbitrary: fc.constant<ValueMutation>((messages, others) => [...messages, ...others]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(2, 3, 4, 16).map(
      (times): ValueMutation =>
        (messages) =>
          Array.from({ length: times }, () => messages).flat(),
    ),
  },
);

function circular(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return false;
  } catch (error) {
    return error instanceof TypeError && /circular/i.test(error.message);
  }
}

/** One to three changes, one after the other. */
export const valueMutation: fc.Arbitrary<ValueMutation> = fc
  .array(change, { minLength: 1, maxLength: 3 })
  .map((changes) => (messages, others) => {
    let changed = messages;
    for (const apply of changes) if (changed.length > 0) changed = apply(changed, others);
    return changed;
  });
