/**
 * MurmurHash3, the 128-bit x86 variant by Austin Appleby (public domain), over the UTF-16 code units of a text.
 * Not cryptographic: it names events and notices change; nothing secret or adversarial rests on it.
 */
function murmur128(text: string, seed: number): [number, number, number, number] {
  const c1 = 0x239b961b;
  const c2 = 0xab0e9789;
  const c3 = 0x38b34ae5;
  const c4 = 0xa1e38b93;
  let h1 = seed | 0;
  let h2 = seed | 0;
  let h3 = seed | 0;
  let h4 = seed | 0;
  // Eight units at a time, read without a look at the end; what is left over stands in a block filled up with zeros.
  const whole = text.length & ~7;
  for (let at = 0; at < text.length; at += 8) {
    const block = at < whole ? text : text.slice(whole).padEnd(8, "\0");
    const from = at < whole ? at : 0;
    const w1 = block.charCodeAt(from) | (block.charCodeAt(from + 1) << 16);
    const w2 = block.charCodeAt(from + 2) | (block.charCodeAt(from + 3) << 16);
    const w3 = block.charCodeAt(from + 4) | (block.charCodeAt(from + 5) << 16);
    const w4 = block.charCodeAt(from + 6) | (block.charCodeAt(from + 7) << 16);
    h1 ^= Math.imul(rotate(Math.imul(w1, c1), 15), c2);
    h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotate(Math.imul(w2, c2), 16), c3);
    h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotate(Math.imul(w3, c3), 17), c4);
    h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotate(Math.imul(w4, c4), 18), c1);
    h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  h1 ^= text.length;
  h2 ^= text.length;
  h3 ^= text.length;
  h4 ^= text.length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = finish(h1);
  h2 = finish(h2);
  h3 = finish(h3);
  h4 = finish(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  return [h1, (h2 + h1) | 0, (h3 + h1) | 0, (h4 + h1) | 0];
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function finish(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** The first `length` six-bit letters of the words, five a word: 30 of 32 bits, which keeps the code free of carries. */
function letters(words: readonly number[], length: number): string {
  let text = "";
  for (const word of words) {
    for (let shift = 0; shift < 30 && text.length < length; shift += 6) text += ALPHABET[(word >>> shift) & 63];
  }
  return text;
}

/**
 * The id of the `index`-th event that a publish makes (16 letters, 96 bits). It comes from the producer and the
 * sequence number, so that every attempt at one publish, through whichever node, names its events alike, and a
 * client knows its own events when they come back. The producer's random id makes it random to everyone else.
 */
export function eventId(producer: string, seq: number, index: number): string {
  return letters(murmur128(`${producer}/${seq}/${index}`, 0x7461), 16);
}

/**
 * The id of an event that a model's decision made: the id that its command gives it (`eventId`), and the name of the decision. Decided
 * again, the same command may make something else of another state; its events then have other ids, and histories with them other tags.
 */
export function decidedId(asked: string, decision: string): string {
  return `${asked}.${decision}`;
}

/** The part of an event's id that producer, seq and index give it: all of it, but for a decision's events. */
export function askedId(id: string): string {
  const end = id.indexOf(".");
  return end < 0 ? id : id.slice(0, end);
}

/**
 * The tag after an event: a hash chain over the ids of all events so far (8 letters, 48 bits). Two histories that
 * differ anywhere differ in every later tag.
 */
export function chainTag(previous: string, id: string): string {
  return letters(murmur128(`${previous}>${id}`, 0x6e64), 8);
}

/** Digest of a publish's body (20 letters, 120 bits): another body under a used sequence number is noticed by it. */
export function bodyDigest(event: string, version: number, data: string): string {
  return letters(murmur128(`${event}@${version}\n${data}`, 0x656d), 20);
}
