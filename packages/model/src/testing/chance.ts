const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** `length` letters of base64url that come from a text: the same for the same text, and without likeness for another. */
export function lettersOf(text: string, length: number): string {
  let letters = "";
  let state = 0x9e3779b9;
  for (let at = 0; at < text.length; at++) state = mixed(state ^ text.charCodeAt(at));
  while (letters.length < length) {
    state = mixed(state + 0x6d2b79f5 + letters.length);
    letters += LETTERS[state >>> 26];
  }
  return letters;
}

function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
