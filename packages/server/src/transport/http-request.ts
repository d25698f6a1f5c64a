import type { IncomingMessage } from "node:http";
import type { Runtime } from "@tandem/runtime";
import type { Refusal } from "./handshake.ts";
import { MOST_HEADERS, refuse, tokenInUrl } from "./handshake.ts";
import { isOriginAllowed } from "./origin.ts";

/** Milliseconds in which a body must have come in whole. */
const BODY_MS = 10_000;

export interface RequestRules {
  /** Allowed origins; left out: only pages from the same host. */
  readonly origins: readonly string[] | undefined;
  /** Most bytes of a body. */
  readonly bodyBytes: number;
}

/** Judges a request of the other road by its head. A `POST` of JSON is asked about first by browsers, wherever it is not the page's own host. */
export function judgeRequest(request: IncomingMessage, rules: RequestRules): Refusal | undefined {
  const { headers, method } = request;
  if (request.rawHeaders.length > MOST_HEADERS * 2) {
    return refuse(431, "too-many-headers", `A request may have at most ${MOST_HEADERS} headers.`);
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
  if (method === "OPTIONS") return undefined;
  if (method !== "POST") return refuse(405, "bad-method", "Send POST.", { Allow: "POST, OPTIONS" });
  if (!/^application\/json\s*(;|$)/i.test(headers["content-type"] ?? "")) {
    return refuse(415, "bad-content-type", "Content-Type must be application/json.", {
      "Accept-Post": "application/json",
    });
  }
  if (headers["content-encoding"] !== undefined) {
    return refuse(415, "bad-content-encoding", "A body must come as it is, without Content-Encoding.");
  }
  if (Number(headers["content-length"] ?? 0) > rules.bodyBytes) return tooLarge(rules);
  return undefined;
}

function tooLarge({ bodyBytes }: RequestRules): Refusal {
  return refuse(413, "body-too-large", `A body may have at most ${bodyBytes} bytes.`);
}

/** Reads a body of UTF-8. @returns it, or why it is not taken; `undefined` when the client went away meanwhile */
export function readBody(
  request: IncomingMessage,
  rules: RequestRules,
  runtime: Runtime,
): Promise<string | Refusal | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (result: string | Refusal | undefined) => {
      timer.cancel();
      request.off("data", take);
      resolve(result);
    };
    const timer = runtime.timer(BODY_MS, () =>
      finish(refuse(408, "slow-body", `A body must come in within ${BODY_MS / 1_000} seconds.`)),
    );
    const take = (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes > rules.bodyBytes) finish(tooLarge(rules));
      else chunks.push(chunk);
    };
    request.on("data", take);
    request.once("end", () => finish(textOf(Buffer.concat(chunks))));
    request.once("close", () => finish(undefined));
    request.once("error", () => finish(undefined));
  });
}

function textOf(bytes: Buffer): string | Refusal {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse(400, "bad-utf8", "A body must be UTF-8.");
  }
}
