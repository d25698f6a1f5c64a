import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { HttpRoad } from "./http-road.ts";
import type { WebSockets } from "./websocket.ts";
import { turnDown } from "./websocket.ts";

/** What a server takes of an HTTP server. */
export interface Roads {
  readonly webSockets: WebSockets;
  readonly httpRoad: HttpRoad;
}

/** Takes the requests and upgrades at our paths, and leaves the others alone. @returns the call that ends it */
export function attach(httpServer: HttpServer, { webSockets, httpRoad }: Roads): () => void {
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (webSockets.upgrade(request, socket, head)) return;
    // Where nobody else listens for upgrades, nobody else would ever answer this one.
    if (httpServer.listenerCount("upgrade") === 1) turnDown(socket, 404, "There is no WebSocket at this address.");
  };
  httpServer.on("upgrade", onUpgrade);
  const release = takeRequests(httpServer, (request, response) => httpRoad.take(request, response));
  return () => {
    httpServer.off("upgrade", onUpgrade);
    release();
  };
}

/** An event `request` goes to all its listeners: what is ours must not reach the application's, which would answer it too. */
function takeRequests(
  httpServer: HttpServer,
  take: (request: IncomingMessage, response: ServerResponse) => boolean,
): () => void {
  const before = httpServer.emit;
  let isTaking = true;
  const emit = (event: string | symbol, ...details: unknown[]): boolean => {
    if (isTaking && event === "request" && take(...(details as [IncomingMessage, ServerResponse]))) return true;
    return Reflect.apply(before, httpServer, [event, ...details]);
  };
  httpServer.emit = emit as HttpServer["emit"];
  return () => {
    isTaking = false;
    // Whoever came after us stands on ours: it stays, and passes everything on.
    if (httpServer.emit === emit) httpServer.emit = before;
  };
}
