import type { HttpApp } from "./http.ts";

export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

/**
 * Adds `/healthz` (the process lives; a supervisor restarts it otherwise) and `/readyz` (it may be sent clients: the log can be
 * written, it is not being stopped; a load balancer asks this).
 */
export function addHealth(app: HttpApp, readiness: () => Readiness): void {
  app.get("/healthz", (context) => context.json({ status: "ok" }, 200, { "Cache-Control": "no-store" }));
  app.get("/readyz", (context) => {
    const state = readiness();
    const body = state.ready ? { status: "ready" } : { status: "not-ready", reason: state.reason };
    return context.json(body, state.ready ? 200 : 503, { "Cache-Control": "no-store" });
  });
}
