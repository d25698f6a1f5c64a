import * as fc from "fast-check";

/** Changes the bytes of a frame's payload; `other` is another's. */
export type ByteMutation = (payload: Buffer, other: Buffer) => Buffer;

const at = fc.nat(0xffff);

/** Flips bits. */
const flips: fc.Arbitrary<ByteMutation> = fc.array(at, { minLength: 1, maxLength: 6 }).map((bits) => (payload) => {
  const changed = Buffer.from(payload);
  for (const bit of bits) {
    const index = changed.length === 0 ? 0 : (bit >> 3) % changed.length;
    if (changed.length > 0) changed[index] = (changed[index] ?? 0) ^ (1 << (bit & 7));
  }
  return changed;
});

const truncation: fc.Arbitrary<ByteMutation> = at.map(
  (length) => (payload) => payload.subarray(0, length % (payload.length + 1)),
);

/** The beginning of one and the end of another. */
const splice: fc.Arbitrary<ByteMutation> = fc.tuple(at, at).map(
  ([one, two]) =>
    (payload, other) =>
      Buffer.concat([payload.subarray(0, one % (payload.length + 1)), other.subarray(two % (other.length + 1))]),
);

const insertion: fc.Arbitrary<ByteMutation> = fc
  .tuple(at, fc.uint8Array({ minLength: 1, maxLength: 16 }))
  .map(([index, bytes]) => (payload) => {
    const place = index % (payload.length + 1);
    return Buffer.concat([payload.subarray(0, place), bytes, payload.subarray(place)]);
  });

/** A piece over and over. */
const repetition: fc.Arbitrary<ByteMutation> = fc
  .tuple(at, fc.integer({ min: 1, max: 40 }), fc.constantFrom(2, 10, 100, 800))
  .map(([index, length, times]) => (payload) => {
    const place = index % (payload.length + 1);
    const piece = payload.subarray(place, place + length);
    return Buffer.concat([
      payload.subarray(0, place),
      ...Array.from({ length: times }, () => piece),
      payload.subarray(place),
    ]);
  });

export const byteMutation: fc.Arbitrary<ByteMutation> = fc.oneof(
  { arbitrary: flips, weight: 4 },
  { arbitrary: truncation, weight: 2 },
  { arbitrary: splice, weight: 2 },
  { arbitrary: insertion, weight: 2 },
  { arbitrary: repetition, weight: 1 },
);
