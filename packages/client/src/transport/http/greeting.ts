import type { ClientMessageInput, ErrorMessage } from "@tandem/protocol";

type Hello = Extract<ClientMessageInput, { type: "hello" }>;
type Refresh = Extract<ClientMessageInput, { type: "refresh" }>;

/** The `hello` that every request begins with: who the client is, by which token, and which connection of its instance asks. */
export class Greeting {
  #hello: Hello | undefined;
  /** The request that brought the present token, until that is accepted, and the token before it. */
  #refresh: { readonly id: number; readonly before: string | undefined } | undefined;
  #number = 0;
  #wasAccepted = false;
  #isLapsed = false;

  /** The message; `undefined` where there is nobody to be greeted as: no `hello` yet, or a token that has ended. */
  get message(): Hello | undefined {
    const hello = this.#hello;
    if (!hello?.instance || this.isSilent) return this.isSilent ? undefined : hello;
    const { instance } = hello;
    return { ...hello, instance: { ...instance, connection: instance.connection + this.#number } };
  }

  /** Nothing can be asked for. */
  get isSilent(): boolean {
    return !this.#hello || (this.#isLapsed && !this.#refresh);
  }

  /** A fresh token is to be shown. */
  get isFresh(): boolean {
    return this.#refresh !== undefined;
  }

  /** A server has accepted it before. */
  get wasAccepted(): boolean {
    return this.#wasAccepted;
  }

  get isLapsed(): boolean {
    return this.#isLapsed;
  }

  say(hello: Hello): void {
    this.#hello = hello;
  }

  renew({ id, token }: Refresh): void {
    if (!this.#hello) return;
    this.#refresh = { id, before: this.#hello.token };
    this.#hello = { ...this.#hello, token };
  }

  /** Another connection asks: what the one before said of the client's presence does not count any more. */
  count(number: number): void {
    this.#number = number;
  }

  /** It was accepted. @returns the id of the client's request that this answers, if any */
  accepted(): number | undefined {
    const id = this.#refresh?.id ?? (this.#wasAccepted ? undefined : this.#hello?.id);
    this.#wasAccepted = true;
    this.#isLapsed = false;
    this.#refresh = undefined;
    return id;
  }

  /** It was refused: the token before it may still hold. @returns the id of the client's request that this answers, if any */
  refused(): number | undefined {
    const refresh = this.#refresh;
    if (!refresh || !this.#hello) return this.#wasAccepted ? undefined : this.#hello?.id;
    this.#hello = { ...this.#hello, token: refresh.before };
    this.#refresh = undefined;
    return refresh.id;
  }

  /** The token has ended. */
  lapse(): void {
    this.#isLapsed = true;
  }
}

/** Is it a word about the token? */
export function isOfToken({ code }: ErrorMessage): boolean {
  return code === "token-expired" || code === "token-invalid" || code === "token-revoked" || code === "needs-auth";
}
