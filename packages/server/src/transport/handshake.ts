import type { IncomingMessage } from "node:http";
import { SUBPROTOCOLS } from "@tandem/protocol";
import { isOriginAllowed } from "./origin.ts";

/** Most headers of a handshake. */
export const MOST_HEADERS = 100;

/** Names under which people put tokens into addresses, where logs, histories and proxies keep them. */
const TOKENS = ["token", "access_token", "auth_token", "id_token", "jwt", "ticket", "authorization"];

const OFFERS = Object.values(SUBPROTOCOLS);

export type Subprotocol = (typeof OFFERS)[number];

/** Why a handshake is turned down: an HTTP status, and a sentence for whoever wrote the client. */
export interface Refusal {
  readonly status: 400 | 403 | 405 | 408 | 413 | 415 | 426 | 431 | 503;
  readonly sentence: string;
  /** Names the kind in the log. */
  readonly noise: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HandshakeRules {
  /** Allowed origins; left out: only pages from the same host. */
  readonly origins: readonly string[] | undefined;
}

/** Judges a request to upgrade. What an HTTP server itself bounds (bytes of headers, time) was held before. */
export function judgeHandshake(request: IncomingMessage, rules: HandshakeRules): Refusal | undefined {
  const { headers } = request;
  if (request.rawHeaders.length > MOST_HEADERS * 2) {
    return refuse(431, "too-many-headers", `A request may have at most ${MOST_HEADERS} headers.`);
  }
  if (request.method !== "GET") {
    return refuse(405, "bad-method", "A WebSocket is opened with GET.", { Allow: "GET" });
  }
  if (request.httpVersionMajor < 1 || (request.httpVersionMajor === 1 && request.httpVersionMinor < 1)) {
    return refuse(400, "bad-http", "A WebSocket is opened over HTTP/1.1.");
  }
  // Node.js asks for a Host in requests, not in upgrades; and of two it shows the first, which a proxy may not go by.
  if (request.rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === "host").length !== 1) {
    return refuse(400, "bad-host", "A request has exactly one Host header.");
  }
  if (headers.upgrade?.toLowerCase() !== "websocket") {
    return refuse(400, "bad-upgrade", "This address speaks WebSocket: send Upgrade: websocket.");
  }
  if (!/^[A-Za-z0-9+/]{22}==$/.test(headers["sec-websocket-key"] ?? "")) {
    return refuse(400, "bad-key", "Sec-WebSocket-Key must be 16 bytes in base64.");
  }
  if (headers["sec-websocket-version"] !== "13") {
    return refuse(426, "bad-version", "This server speaks WebSocket version 13.", { "Sec-WebSocket-Version": "13" });
  }
  const inUrl = tokenInUrl(request.url ?? "");
  if (inUrl) return inUrl;
  if (!isOriginAllowed(headers.origin, headers.host, rules.origins)) {
    return refuse(
      403,
      "foreign-origin",
      "Pages of this origin may not connect: the operator lists origins in TANDEM_ORIGINS.",
    );
  }
  if (chooseSubprotocol(headers["sec-websocket-protocol"]) === undefined) {
    return refuse(400, "bad-subprotocol", `Sec-WebSocket-Protocol must offer one of ${OFFERS.join(", ")}.`);
  }
  return undefined;
}

/** The first of the client's offers that we speak. */
export function chooseSubprotocol(header: string | undefined): Subprotocol | undefined {
  const offered = (header ?? "").split(",", 16).map((name) => name.trim());
  for (const name of offered) {
    const known = OFFERS.find((subprotocol) => subprotocol === name);
    if (known) return known;
  }
  return undefined;
}

/** The path of a request's address, without its query. */
export function pathOf(request: IncomingMessage): string {
  const url = request.url ?? "";
  const end = url.indexOf("?");
  return end === -1 ? url : url.slice(0, end);
}

/** Turns down an address that holds a token. */
export function tokenInUrl(url: string): Refusal | undefined {
  const at = url.indexOf("?");
  if (at === -1) return undefined;
  const names = new URLSearchParams(url.slice(at + 1)).keys();
  const parameter = names.find((name) => TOKENS.includes(name.toLowerCase()));
  if (parameter === undefined) return undefined;
  const sentence = `Take "${parameter}" out of the address: a token goes into the first message, hello.`;
  return refuse(400, "token-in-url", sentence);
}

export function refuse(
  status: Refusal["status"],
  noise: string,
  sentence: string,
  headers?: Refusal["headers"],
): Refusal {
  return { status, noise, sentence, ...(headers ? { headers } : {}) };
}
