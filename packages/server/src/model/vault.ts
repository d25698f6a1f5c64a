/** The port to cryptography with secret keys. */
export interface Vault {
  /** A new key, as text. */
  newKey(): string;
  /** Seals a text: the same text twice gives different results, of a length that tells the text's length only. */
  seal(key: string, text: string): string;
  /** `undefined` where it was not sealed with this key. */
  open(key: string, sealed: string): string | undefined;
}
