/** A key `__proto__` in what `JSON.stringify` wrote: inside a text its quotes would be escaped. */
const PROTO_KEY = /[{,]"__proto__":/;

/** Why not every codec could carry a JSON text to every reader, if so. */
export function faultOf(
  json: string,
  depth: number,
): { readonly code: "too-deep" | "invalid-data"; readonly message: string } | undefined {
  if (depthOf(json) > depth) return { code: "too-deep", message: `may be nested ${depth} deep.` };
  if (PROTO_KEY.test(json)) return { code: "invalid-data", message: "may not hold a key named __proto__." };
  return undefined;
}

/** How deep the lists and objects of a JSON text are nested. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === "[" || token === "{") deepest = Math.max(deepest, ++depth);
    else if (token === "]" || token === "}") depth--;
  }
  return deepest;
}
