/**
 * The next fencing tokens of a model: above `last`, the newest of all its locks. They rise by the clock, so that they do in another life of the channel too, and
 * after a backup is restored; by one, where the clock stands or jumps back.
 */
export function tokensAfter(last: number, time: number): () => number {
  let newest = last;
  return () => {
    newest = Math.max(newest + 1, Math.ceil(time));
    return newest;
  };
}
