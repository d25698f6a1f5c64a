import type { HttpBindings } from "@hono/node-server";
import type { Logger } from "@tandem/runtime";
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { addFiles } from "./files.ts";
import type { Readiness } from "./health.ts";
import { addHealth } from "./health.ts";
import type { HttpRoadRoutes } from "./road.ts";
import { addHttpRoad } from "./road.ts";

/** Routes for Node.js: a handler may look at the request as Node.js gave it. */
export type HttpApp = Hono<{ Bindings: Partial<HttpBindings> }>;

/** Most headers of a request. Node.js itself bounds their bytes. */
const MOST_HEADERS = 100;

export interface HttpOptions {
  readonly readiness: () => Readiness;
  /** A folder to serve at `/`. */
  readonly files: string | undefined;
  readonly logger: Logger;
  readonly road: HttpRoadRoutes;
}

/** What a server answers over HTTP: its health, the other road of its clients, and a page where it has one. */
export function httpApp(options: HttpOptions): HttpApp {
  const app: HttpApp = new Hono();
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        imgSrc: ["'self'", "data:"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
      xFrameOptions: "DENY",
      // Whether the whole host is on HTTPS is known to who runs it, not here.
      strictTransportSecurity: false,
    }),
  );
  app.use(async (context, next) => {
    const headers = context.env?.incoming?.rawHeaders.length ?? 0;
    if (headers > MOST_HEADERS * 2)
      return context.json({ error: `A request may have at most ${MOST_HEADERS} headers.` }, 431);
    return next();
  });
  addHealth(app, options.readiness);
  addHttpRoad(app, options.road);
  if (options.files !== undefined) addFiles(app, options.files);
  app.notFound((context) => context.json({ error: "There is nothing at this address." }, 404));
  app.onError((error, context) => {
    options.logger.error({ error, path: context.req.path }, "a request failed");
    return context.json({ error: "An error of the server's own. It is in its log." }, 500);
  });
  return app;
}
