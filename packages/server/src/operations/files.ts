import { serveStatic } from "@hono/node-server/serve-static";
import type { HttpApp } from "./http.ts";

/** Files whose name changes with their content, as Vite names what it builds. */
const HASHED = /^\/assets\/[^/]+-[\w-]{8}\.\w+$/;

/** Serves a folder of files at `/`. */
export function addFiles(app: HttpApp, folder: string): void {
  app.use("/*", async (context, next) => {
    await next();
    if (context.res.status !== 200 || context.res.headers.has("Cache-Control")) return;
    const kept = HASHED.test(context.req.path);
    context.res.headers.set("Cache-Control", kept ? "public, max-age=31536000, immutable" : "no-cache");
  });
  app.use("/*", serveStatic({ root: folder }));
}
