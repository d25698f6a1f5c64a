/** The port that tells when the world has changed so that trying again makes sense. */
export interface Wake {
  /** Is there a network, as far as is known? */
  online(): boolean;
  /** Calls `listener` when the network came or went, and when the page came into view. @returns the call that ends it */
  listen(listener: () => void): () => void;
}
