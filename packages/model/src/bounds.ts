/** @throws RangeError where one of the bounds is no whole number from 1, or over `most` */
export function checkBounds(bounds: Readonly<Record<string, number>>, most = Number.MAX_SAFE_INTEGER): void {
  for (const [name, bound] of Object.entries(bounds)) {
    if (Number.isSafeInteger(bound) && bound >= 1 && bound <= most) continue;
    throw new RangeError(`${name} is a whole number from 1${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ""}`);
  }
}
