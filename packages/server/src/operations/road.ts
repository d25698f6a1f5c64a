import type { IncomingMessage, ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { HTTP_PATHS } from "@tandem/protocol";
import type { HttpApp } from "./http.ts";

/** Who answers the requests of clients whose WebSocket is blocked. */
export interface HttpRoadRoutes {
  /** The path that theirs are under, such as `/ws`. */
  readonly path: string;
  readonly take: { handle(request: IncomingMessage, response: ServerResponse, isSend: boolean): void };
}

/** Adds the routes of the other road. A server that is attached takes them itself; these are for where the app is mounted. */
export function addHttpRoad(app: HttpApp, { path, take }: HttpRoadRoutes): void {
  for (const [name, under] of Object.entries(HTTP_PATHS)) {
    app.all(path + under, (context) => {
      const { incoming, outgoing } = context.env ?? {};
      if (!incoming || !outgoing) return context.json({ error: "Clients are answered on Node.js only." }, 501);
      take.handle(incoming as IncomingMessage, outgoing as ServerResponse, name === "send");
      return RESPONSE_ALREADY_SENT;
    });
  }
}
