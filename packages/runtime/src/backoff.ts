/**
 * Exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015): a random
 * share of a cap that doubles with each attempt.
 *
 * @param attempt failed attempts so far, from 0
 * @param random a number in [0, 1)
 * @param base cap of the first wait, in milliseconds (1,000: a first retry always comes within 2 s)
 * @param cap longest wait, in milliseconds
 * @returns the wait in milliseconds
 */
export function fullJitter(attempt: number, random: number, base = 1_000, cap = 30_000): number {
  return Math.round(random * Math.min(cap, base * 2 ** Math.min(attempt, 30)));
}
