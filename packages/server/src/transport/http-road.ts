import type { IncomingMessage, ServerResponse } from "node:http";
import type { Limits } from "@tandem/protocol";
import { BODY_FRAMES, FRAME_END, HTTP_PATHS } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Carriage } from "../connection/response-transport.ts";
import { ResponseTransport } from "../connection/response-transport.ts";
import type { Transport, TransportEvents } from "../connection/transport.ts";
import type { TrustedProxies } from "./client-address.ts";
import { clientAddress } from "./client-address.ts";
import type { Refusal } from "./handshake.ts";
import { pathOf, refuse } from "./handshake.ts";
import type { RequestRules } from "./http-request.ts";
import { judgeRequest, readBody } from "./http-request.ts";
import { replyOf } from "./node-reply.ts";
import type { Room } from "./room.ts";

/** Seconds for which a browser need not ask again whether a page of its origin may post here. */
const PREFLIGHT_SECONDS = 7_200;

/** On every response: nobody keeps it, changes it or holds it back. (The last one is nginx's own.) */
const HEADERS = {
  "Cache-Control": "no-store, no-transform",
  "X-Accel-Buffering": "no",
  "X-Content-Type-Options": "nosniff",
  Vary: "Origin",
};

export interface HttpRoadOptions {
  /** The WebSocket's path, such as `/ws`: those of the other road are under it. */
  readonly path: string;
  readonly limits: Pick<Limits, "frameBytes">;
  /** Allowed origins; left out: only pages from the same host. */
  readonly origins: readonly string[] | undefined;
  readonly trusted: TrustedProxies;
  readonly runtime: Runtime;
  readonly room: Room;
  /** Takes a new connection. */
  accept(transport: Transport): TransportEvents;
}

/**
 * The other road, for clients whose WebSocket is blocked: server-sent events or long polls down, POST up. There is no session
 * over HTTP: every request is a connection of its own that begins with `hello`, so that any node may answer it.
 */
export class HttpRoad {
  readonly #options: HttpRoadOptions;
  readonly #rules: RequestRules;
  readonly #responses = new Set<ServerResponse>();

  constructor(options: HttpRoadOptions) {
    this.#options = options;
    this.#rules = { origins: options.origins, bodyBytes: options.limits.frameBytes * BODY_FRAMES };
  }

  /** Takes a request. @returns false when its path is another: it is not touched then */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    const path = pathOf(request);
    const { path: base } = this.#options;
    if (path !== base + HTTP_PATHS.stream && path !== base + HTTP_PATHS.send) return false;
    this.handle(request, response, path.endsWith(HTTP_PATHS.send));
    return true;
  }

  /** Answers a request to one of the two paths. */
  handle(request: IncomingMessage, response: ServerResponse, isSend: boolean): void {
    // Where the road is mounted, the client may be gone before its request comes here: nothing would tell of its end any more.
    if (response.destroyed || response.closed) return;
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const address = clientAddress(request, this.#options.trusted);
    const refusal = judgeRequest(request, this.#rules);
    if (refusal) return this.#refuse(request, response, refusal, address);
    const { origin } = request.headers;
    if (origin !== undefined) {
      response.setHeader("Access-Control-Allow-Origin", origin);
      response.setHeader("Access-Control-Expose-Headers", "Retry-After");
    }
    if (request.method === "OPTIONS") return answerPreflight(response);
    const full = this.#options.room.refusal;
    if (full) return this.#refuse(request, response, full, address);
    this.#responses.add(response);
    this.#options.room.enter();
    response.once("close", () => {
      this.#responses.delete(response);
      this.#options.room.leave();
    });
    void this.#carry(request, response, address, isSend);
  }

  /** Cuts whoever is still there. */
  destroy(): void {
    for (const response of this.#responses) response.destroy();
  }

  async #carry(request: IncomingMessage, response: ServerResponse, address: string, isSend: boolean): Promise<void> {
    const { runtime, accept } = this.#options;
    const body = await readBody(request, this.#rules, runtime);
    if (body === undefined || response.destroyed) return;
    const frames = typeof body === "string" ? framesOf(body) : body;
    if (!Array.isArray(frames)) return this.#refuse(request, response, frames as Refusal, address);
    const transport = new ResponseTransport(replyOf(response), carriageOf(request, isSend), {
      side: isSend,
      address,
      runtime,
    });
    try {
      transport.carry(accept(transport), frames);
    } catch (error) {
      transport.failed(error);
    }
  }

  #refuse(
    request: IncomingMessage,
    response: ServerResponse,
    { status, noise, sentence, headers }: Refusal,
    address: string,
  ): void {
    this.#options.runtime.logger.warn({ noise, address, status }, "a request was turned down");
    const body = `${sentence}\n`;
    // What is left of a body that is not wanted is not read: the socket goes with it.
    if (!request.complete) {
      response.setHeader("Connection", "close");
      response.once("finish", () => request.destroy());
    }
    response.writeHead(status, {
      ...headers,
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Length": Buffer.byteLength(body),
    });
    response.end(body);
  }
}

function answerPreflight(response: ServerResponse): void {
  response.writeHead(204, {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type, Prefer",
    "Access-Control-Max-Age": String(PREFLIGHT_SECONDS),
  });
  response.end();
}

function carriageOf(request: IncomingMessage, isSend: boolean): Carriage {
  // Who waits for an answer does not want it held back until there is news (RFC 7240).
  if (isSend || /(^|,)\s*wait=0\s*(,|$)/.test(String(request.headers.prefer ?? ""))) return "answer";
  return request.headers.accept?.includes("text/event-stream") ? "stream" : "poll";
}

/** The frames of a body, one a line. */
function framesOf(body: string): string[] | Refusal {
  const frames = body.split(FRAME_END, BODY_FRAMES + 1).filter((line) => line.trim() !== "");
  if (frames.length <= BODY_FRAMES) return frames;
  return refuse(413, "too-many-frames", `A body may have at most ${BODY_FRAMES} frames.`);
}
