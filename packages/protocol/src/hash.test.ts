import fc from "fast-check";
import { is } from "valibot";
import { describe, expect, it } from "vitest";
import { bodyDigest, chainTag, eventId } from "./hash.ts";
import { samePosition } from "./position.ts";
import { mintedAt, mintProducer, ProducerIdSchema } from "./producer.ts";

/** The tag after a history of these ids. */
const tagOf = (ids: readonly string[]) => ids.reduce((tag, id) => chainTag(tag, id), "");
const ids = fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 20 });

describe("hashes", () => {
  it("stay what they are: stored histories rest on them", () => {
    expect(eventId("producer", 1, 0)).toMatchInlineSnapshot(`"hNI35w2NyP4I5d-P"`);
    expect(chainTag("", "id")).toMatchInlineSnapshot(`"DbVkuW2B"`);
    expect(bodyDigest("message", 1, '{"text":"þ€😀"}')).toMatchInlineSnapshot(`"izNK2OaLC6ybDHGiYQYd"`);
  });

  it("name every event of every publish differently", () => {
    const names = new Set<string>();
    for (let seq = 1; seq <= 20_000; seq++) for (let at = 0; at < 3; at++) names.add(eventId("producer", seq, at));
    for (let seq = 1; seq <= 20_000; seq++) names.add(eventId("producer2", seq, 0));
    expect(names.size).toBe(80_000);
    for (const id of names) if (!/^[A-Za-z0-9_-]{16}$/.test(id)) expect(id).toBe("16 letters");
  });

  it("G2: tell bodies apart, whatever part differs", () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.string(), fc.nat(), fc.string()),
        fc.tuple(fc.string(), fc.nat(), fc.string()),
        (a, b) => {
          fc.pre(JSON.stringify(a) !== JSON.stringify(b) && !`${a[0]}${b[0]}`.includes("@"));
          expect(bodyDigest(...a)).not.toBe(bodyDigest(...b));
        },
      ),
    );
  });
});

describe("tags", () => {
  it("G3: differ everywhere after any difference between two histories", () => {
    fc.assert(
      fc.property(ids, fc.nat(), fc.string({ minLength: 1 }), (history, at, other) => {
        const place = at % history.length;
        fc.pre(history[place] !== other);
        const rewritten = history.with(place, other);
        for (let length = 1; length <= history.length; length++) {
          const same = tagOf(history.slice(0, length)) === tagOf(rewritten.slice(0, length));
          expect(same).toBe(length <= place);
        }
      }),
    );
  });

  it("G3: differ where two events changed places", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (before, a, b) => {
        fc.pre(a !== b);
        expect(tagOf([before, a, b])).not.toBe(tagOf([before, b, a]));
      }),
    );
  });
});

describe("positions", () => {
  it("are the same in all three parts or not the same", () => {
    const at = { epoch: "e", offset: 1, tag: "t" };
    expect(samePosition(at, { ...at })).toBe(true);
    for (const other of [{ epoch: "f" }, { offset: 2 }, { tag: "u" }])
      expect(samePosition(at, { ...at, ...other })).toBe(false);
  });
});

describe("a producer's id", () => {
  it("carries when it was minted", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 36 ** 10 - 1 }),
        fc.stringMatching(/^[A-Za-z0-9_-]{22}$/),
        (now, random) => {
          const id = mintProducer(now, random);
          expect(is(ProducerIdSchema, id)).toBe(true);
          expect(mintedAt(id)).toBe(now);
        },
      ),
    );
  });
});
