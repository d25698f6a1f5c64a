/** Bytes after the head of each value from 0xc0 to 0xdf that are its own: nothing, a number, or the length of what follows. */
const FIXED: Readonly<Record<number, number>> = {
  202: 4,
  203: 8,
  204: 1,
  205: 2,
  206: 4,
  207: 8,
  208: 1,
  209: 2,
  210: 4,
  211: 8,
  212: 2,
  213: 3,
  214: 5,
  215: 9,
  216: 17,
};

/** Texts, bytes and extensions: how wide their length is, and how many bytes stand between it and the content. */
const SIZED: Readonly<Record<number, readonly [width: number, more: number]>> = {
  196: [1, 0],
  197: [2, 0],
  198: [4, 0],
  199: [1, 1],
  200: [2, 1],
  201: [4, 1],
  217: [1, 0],
  218: [2, 0],
  219: [4, 0],
};

/** Lists and maps: how wide their count is, and how many values each of their entries takes. */
const COUNTED: Readonly<Record<number, readonly [width: number, values: number]>> = {
  220: [2, 1],
  221: [4, 1],
  222: [2, 2],
  223: [4, 2],
};

/**
 * Does a frame hold as many values as its lists and maps promise? A decoder makes room for what is promised before it
 * reads on: few bytes could ask for gigabytes. Every value takes a byte at least, so that room is bounded by the frame.
 */
export function keepsItsPromises(frame: Uint8Array): boolean {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const end = frame.byteLength;
  const read = (at: number, width: number): number => {
    if (at + width > end) return Number.POSITIVE_INFINITY;
    if (width === 1) return view.getUint8(at);
    return width === 2 ? view.getUint16(at) : view.getUint32(at);
  };
  let promised = 0;
  for (let at = 0; at < end; ) {
    const head = view.getUint8(at++);
    promised = Math.max(0, promised - 1);
    const sized = SIZED[head];
    const counted = COUNTED[head];
    if (head >= 0x80 && head <= 0x8f) promised += 2 * (head & 0x0f);
    else if (head >= 0x90 && head <= 0x9f) promised += head & 0x0f;
    else if (head >= 0xa0 && head <= 0xbf) at += head & 0x1f;
    else if (sized) at += sized[0] + sized[1] + read(at, sized[0]);
    else if (counted) {
      promised += counted[1] * read(at, counted[0]);
      at += counted[0];
    } else at += FIXED[head] ?? 0;
    if (promised > end - at) return false;
  }
  return promised === 0;
}
