import type { Server as HttpServer, IncomingMessage } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { HttpApp } from "./http.ts";

/** Most bytes of a request's headers: more are answered 431. */
const HEADER_BYTES = 16_384;
/** Milliseconds in which a request, or a handshake, must have come in whole. */
const REQUEST_TIMEOUT = 10_000;
/** Milliseconds between two looks for requests that are late. */
const LOOK = 1_000;
/** Sockets beyond the WebSockets: pages, health checks, handshakes under way. */
const OTHER_SOCKETS = 1_024;

export interface ListenerOptions {
  /** Most WebSockets. */
  readonly maxConnections: number;
  /** Is this request to upgrade one to look at? Any other, such as an offer of HTTP/2, is answered as if it had not asked, which is anybody's right (RFC 9110, section 7.8). */
  isUpgrade(request: IncomingMessage): boolean;
}

/** An HTTP server of our own, with its bounds. */
export class Listener {
  readonly httpServer: HttpServer;

  constructor(app: HttpApp, options: ListenerOptions) {
    const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    this.httpServer = createServer(
      {
        maxHeaderSize: HEADER_BYTES,
        headersTimeout: REQUEST_TIMEOUT,
        requestTimeout: REQUEST_TIMEOUT,
        connectionsCheckingInterval: LOOK,
        shouldUpgradeCallback: (request) => options.isUpgrade(request),
      },
      (request, response) => void answer(request, response),
    );
    this.httpServer.maxConnections = options.maxConnections + OTHER_SOCKETS;
  }

  async listen(host: string, port: number): Promise<{ readonly url: string; readonly port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.httpServer.once("error", reject);
      this.httpServer.listen(port, host, () => {
        this.httpServer.off("error", reject);
        resolve();
      });
    });
    const address = this.httpServer.address() as AddressInfo;
    return { url: `http://${nameOf(address)}:${address.port}`, port: address.port };
  }

  /** Ends it: nothing new is taken, and what is under way is cut. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.httpServer.close(() => resolve());
      this.httpServer.closeAllConnections();
    });
  }
}

/** What one writes into a browser to get to an address. */
function nameOf({ address }: AddressInfo): string {
  if (["0.0.0.0", "::", "127.0.0.1", "::1"].includes(address)) return "localhost";
  return address.includes(":") ? `[${address}]` : address;
}
