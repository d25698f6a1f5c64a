/** One request of the other road. */
export interface PostRequest {
  readonly url: string;
  readonly body: string;
  readonly accept: "text/event-stream" | "application/json";
  /** The answer shall not be held until there is news. */
  readonly now?: boolean;
  /** The page may go away meanwhile. */
  readonly outlives?: boolean;
}

export interface PostEvents {
  /** A piece of the answer, as it comes. */
  text(piece: string): void;
  /**
   * The answer is complete (200), or there is none: another status, or 0 where the network failed. The last call.
   *
   * @param retryAfter milliseconds that the server asked to wait
   */
  ended(status: number, retryAfter: number): void;
}

/** The port that posts. Never throws. @returns the call that gives the answer up: nothing is told after it */
export type Post = (request: PostRequest, events: PostEvents) => () => void;

/** Posts by `fetch`: every browser, and Node.js. No cookie and no address of the page goes along. */
export const postByFetch: Post = ({ url, body, accept, now, outlives = false }, events) => {
  const abort = new AbortController();
  let isOver = false;
  const end = (status: number, retryAfter = 0) => {
    if (!isOver) events.ended(status, retryAfter);
    isOver = true;
  };
  const exchange = async () => {
    const response = await fetch(url, {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json", Accept: accept, ...(now && { Prefer: "wait=0" }) },
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
      keepalive: outlives,
      signal: abort.signal,
    });
    if (response.status !== 200 || !response.body) {
      const seconds = Number(response.headers.get("retry-after"));
      await response.body?.cancel();
      return end(response.status, Number.isFinite(seconds) ? seconds * 1_000 : 0);
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return end(200);
      if (!isOver) events.text(value);
    }
  };
  exchange().catch(() => end(0));
  return () => {
    isOver = true;
    abort.abort();
  };
};
