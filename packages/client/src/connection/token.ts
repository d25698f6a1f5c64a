import { TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";

/** Milliseconds that the application has to come up with a token. */
const TOKEN_MS = 20_000;

/** The application's function that gives a fresh token each time it is called. */
export type TokenSource = () => Promise<string> | string;

/**
 * Asks the application for a token. Whatever it does (throws, hangs, answers nonsense), `settle` is called once.
 *
 * @returns the call that gives up asking
 */
export function fetchToken(
  runtime: Runtime,
  token: TokenSource,
  settle: (result: string | TandemError) => void,
): () => void {
  const timer = runtime.timer(TOKEN_MS, () => finish(unavailable("token() did not answer in time.")));
  let asking = true;
  const stop = () => {
    asking = false;
    timer.cancel();
  };
  const finish = (result: string | TandemError) => {
    if (!asking) return;
    stop();
    settle(result);
  };
  // Asked in a turn of its own: it may call the client.
  Promise.resolve()
    .then(token)
    .then(
      (value: unknown) =>
        finish(typeof value === "string" && value !== "" ? value : unavailable("token() gave no text.")),
      (cause: unknown) => {
        runtime.logger.warn({ error: cause }, "token() failed");
        finish(unavailable("token() failed.", cause));
      },
    );
  return stop;
}

function unavailable(message: string, cause?: unknown): TandemError {
  return new TandemError("token-unavailable", message, { cause });
}
