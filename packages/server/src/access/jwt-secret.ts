/** Least bytes of a secret: HMAC-SHA-256 is no stronger than its key (RFC 7518, section 3.2). */
const MIN_BYTES = 32;

/**
 * The bytes of a signing secret; a text counts in UTF-8.
 *
 * @throws RangeError when it is shorter than 32 bytes
 */
export function secretBytes(secret: string | Uint8Array): Uint8Array {
  const bytes = typeof secret === "string" ? new TextEncoder().encode(secret) : secret;
  if (bytes.length < MIN_BYTES) {
    throw new RangeError(
      `The secret for tokens has ${bytes.length} bytes, and ${MIN_BYTES} is the least. Make one with: openssl rand -base64 48`,
    );
  }
  return bytes;
}
