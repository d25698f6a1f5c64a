/**
 * Where a card goes that shall stand at an index of the list: after which other; `null`: before all; `undefined`: it stands there.
 *
 * @param cards ids in their order
 */
export function placeFor(cards: readonly string[], id: string, index: number): string | null | undefined {
  const from = cards.indexOf(id);
  if (from < 0) return undefined;
  const to = Math.min(cards.length - 1, Math.max(0, index));
  if (to === from) return undefined;
  const others = cards.toSpliced(from, 1);
  return others[to - 1] ?? null;
}

/** The index that a card has when it is let go at a height. @param middles the heights of the other cards' middles, in order */
export function indexAt(height: number, middles: readonly number[]): number {
  const below = middles.findIndex((middle) => middle > height);
  return below < 0 ? middles.length : below;
}
