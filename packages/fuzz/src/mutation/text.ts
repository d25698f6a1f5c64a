import * as fc from "fast-check";

/** Changes the text of a JSON frame where only its spelling shows it: what is decoded and encoded again would lose it. */
export type TextMutation = (text: string) => string;

/** Replaces the match number `at` of a pattern. */
function replaceNth(text: string, pattern: RegExp, at: number, by: (match: string) => string): string {
  const matches = [...text.matchAll(pattern)];
  const match = matches[at % Math.max(1, matches.length)];
  if (!match) return text;
  return text.slice(0, match.index) + by(match[0]) + text.slice(match.index + match[0].length);
}

const at = fc.nat(0xffff);
const numbers = fc.constantFrom(
  "1e999",
  "-1e999",
  "-0",
  "1E400",
  "9007199254740993",
  "0.1e-400",
  "1e0",
  "1.0",
  "00",
  "0x1",
  ".5",
  "1_0",
  "1".repeat(400),
);
const ESCAPES = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;

export const textMutation: fc.Arbitrary<TextMutation> = fc.oneof(
  // A key twice, the second time perhaps escaped.
  fc.tuple(at, fc.boolean(), fc.constantFrom("1", '"x"', "null", "{}")).map(
    ([index, escaped, value]): TextMutation =>
      (text) =>
        replaceNth(text, /"([a-zA-Z]+)":/g, index, (key) => {
          const again = escaped ? `"${ESCAPES(key[1] ?? "x")}${key.slice(2)}` : key;
          return `${again}${value},${key}`;
        }),
  ),
  fc.tuple(at, numbers).map(
    ([index, number]): TextMutation =>
      (text) =>
        replaceNth(text, /(?<=:)-?\d+/g, index, () => number),
  ),
  // A letter in its escaped form: the same text, spelled otherwise.
  at.map(
    (index): TextMutation =>
      (text) =>
        replaceNth(text, /[a-z]/g, index, ESCAPES),
  ),
  fc.tuple(at, fc.constantFrom("\\ud800", "\\udc00\\ud800", "\\u0000", "\\x41", "\\", "\t", "\u2028")).map(
    ([index, piece]): TextMutation =>
      (text) =>
        replaceNth(text, /"[^"]*"/g, index, (quoted) => `"${piece}${quoted.slice(1)}`),
  ),
  fc.tuple(at, fc.constantFrom(" ", "\n", "\t\r", "/**/", ",", "\u00a0")).map(
    ([index, piece]): TextMutation =>
      (text) =>
        replaceNth(text, /[:,{[]/g, index, (mark) => mark + piece),
  ),
  fc.tuple(at, fc.constantFrom(30, 31, 32, 33, 5_000, 20_000)).map(
    ([index, depth]): TextMutation =>
      (text) =>
        replaceNth(
          text,
          /(?<=:)(?:-?\d+|"[^"]*")/g,
          index,
          (value) => `${"[".repeat(depth)}${value}${"]".repeat(depth)}`,
        ),
  ),
);
