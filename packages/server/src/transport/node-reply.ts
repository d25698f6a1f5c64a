import type { ServerResponse } from "node:http";
import type { Reply } from "../connection/reply.ts";

/** The reply that a response of Node's HTTP server is. */
export function replyOf(response: ServerResponse): Reply {
  return {
    get buffered() {
      return response.writableLength;
    },
    begin() {
      response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
      response.flushHeaders();
    },
    write: (bytes) => void response.write(bytes),
    end(body) {
      if (!body) return void response.end();
      const headers = { "Content-Type": "application/json; charset=utf-8", "Content-Length": body.byteLength };
      response.writeHead(200, headers).end(body);
    },
    cut: () => void response.destroy(),
    onGone: (listener) => void response.once("close", listener),
  };
}
