import type { ActivitySource } from "../presence/activity.ts";

/** Without input for this long, in milliseconds, a page is idle. */
const IDLE_MS = 60_000;

/** What counts as input. */
const INPUT = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;

/** Listens to the page's visibility and to input. Where there is no page (Node.js), one is always active. */
export const browserActivity: ActivitySource = {
  now: () => present(),
  listen(listener) {
    if (typeof document === "undefined") return () => undefined;
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let known = present();
    const look = () => {
      clearTimeout(timer);
      const now = present();
      if (now === "active") timer = setTimeout(look, Math.max(0, IDLE_MS - (performance.now() - lastInput)));
      if (now === known) return;
      known = now;
      listener();
    };
    const touched = () => {
      lastInput = performance.now();
      // While it is active, the timer finds out by itself that there was input.
      if (known !== "active") look();
    };
    for (const type of INPUT) addEventListener(type, touched, { signal: ended.signal, passive: true, capture: true });
    const visible = () => (document.visibilityState === "visible" ? touched() : look());
    document.addEventListener("visibilitychange", visible, { signal: ended.signal });
    touched();
    look();
    return () => {
      ended.abort();
      clearTimeout(timer);
    };
  },
};

let lastInput = 0;

function present() {
  if (typeof document === "undefined") return "active";
  if (document.visibilityState === "hidden") return "away";
  return performance.now() - lastInput < IDLE_MS ? "active" : "idle";
}
