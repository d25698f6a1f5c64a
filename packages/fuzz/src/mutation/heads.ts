import * as fc from "fast-check";
import type { Head } from "../wire.ts";

/** What a frame's head is made to tell. */
export type HeadMutation = Omit<Head, "opcode"> & { readonly opcode?: number };

const lengths = fc.oneof(
  fc.constantFrom(
    0n,
    1n,
    124n,
    125n,
    126n,
    127n,
    65_535n,
    65_536n,
    65_537n,
    2n ** 31n,
    2n ** 32n,
    2n ** 53n,
    2n ** 63n,
    2n ** 64n - 1n,
  ),
  fc.bigInt({ min: 0n, max: 70_000n }),
);

export const headMutation: fc.Arbitrary<HeadMutation> = fc.oneof(
  fc.record({ opcode: fc.nat(15) }),
  fc.record({ opcode: fc.nat(15), fin: fc.boolean(), reserved: fc.nat(7) }),
  fc.record({ fin: fc.constant(false) }),
  fc.record({ reserved: fc.integer({ min: 1, max: 7 }) }),
  fc.constant<HeadMutation>({ mask: null }),
  fc.record({ mask: fc.nat(0xffff_ffff) }),
  fc.record({ length: lengths }),
  fc.record({ opcode: fc.nat(15), length: lengths, mask: fc.constantFrom<number | null>(null, 0, 0xffff_ffff) }),
);
