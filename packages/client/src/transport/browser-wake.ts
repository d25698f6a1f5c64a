import type { Wake } from "./wake.ts";

/** Listens to the browser's network state and the page's visibility. Where there are none (Node.js), it stays silent. */
export const browserWake: Wake = {
  online: () => typeof navigator === "undefined" || navigator.onLine !== false,
  listen(listener) {
    if (typeof document === "undefined") return () => undefined;
    const ended = new AbortController();
    const until = { signal: ended.signal };
    addEventListener("online", listener, until);
    addEventListener("offline", listener, until);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && listener(), until);
    return () => ended.abort();
  },
};
