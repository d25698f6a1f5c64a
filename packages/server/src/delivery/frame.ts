/** A frame on its way to one connection or to many. */
export class Frame {
  /** The codec's bytes; text as UTF-8. */
  readonly payload: Uint8Array;
  #form: string | undefined;
  #wire: Uint8Array | undefined;

  constructor(payload: Uint8Array) {
    this.payload = payload;
  }

  /**
   * The bytes that a transport writes for it, such as a WebSocket frame around the payload: made once for all who are sent the
   * frame in this form, kept for the latest form only.
   */
  as(form: string, make: (payload: Uint8Array) => Uint8Array): Uint8Array {
    if (this.#form === form && this.#wire) return this.#wire;
    this.#form = form;
    this.#wire = make(this.payload);
    return this.#wire;
  }
}
