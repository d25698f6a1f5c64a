import type { Connect } from "./connect.ts";

/** Connects by the platform's own WebSocket: every browser, and Node.js from 22. */
export const connectWebSocket: Connect = (url, subprotocol, events) => {
  const socket = new WebSocket(url, subprotocol);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => events.opened();
  socket.onmessage = ({ data }) => events.frame(typeof data === "string" ? data : new Uint8Array(data));
  socket.onclose = ({ code, reason }) => events.closed(code, reason);
  return {
    transport: "websocket",
    send(frame) {
      // A socket that is closing drops what it is given, and its `close` event follows.
      if (socket.readyState === WebSocket.OPEN) socket.send(frame as string | Uint8Array<ArrayBuffer>);
    },
    close: (code, reason) => socket.close(code, reason),
  };
};
