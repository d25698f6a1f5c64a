/** A broken rule, in words. */
export class RuleBroken extends Error {
  override readonly name = "RuleBroken";
}
