/**
 * May a page of this origin connect? Origins are compared whole, letter by letter, so that `https://app.example.evil.com`,
 * `null` and `https://app.example@evil.com` are what they are: foreign.
 *
 * @param origin the `Origin` header; programs that are no browser send none, and are let in
 * @param host the `Host` header
 * @param allowed origins; left out: only pages from the same host
 */
export function isOriginAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[] | undefined,
): boolean {
  if (origin === undefined) return true;
  const url = URL.parse(origin);
  // An origin has no path, no user and no capitals: what is not written exactly as a browser does is not a browser's.
  if (!url || url.origin !== origin || (url.protocol !== "http:" && url.protocol !== "https:")) return false;
  if (allowed) return allowed.includes(origin);
  return host !== undefined && URL.parse(`${url.protocol}//${host}`)?.host === url.host;
}
