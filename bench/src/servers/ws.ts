/**
 * A plain loop over sockets of `ws`: the payload is made into bytes once, and sent to each subscriber.
 *
 *     node bench/src/servers/ws.ts FOLDER      (started with an IPC channel)
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { WebSocket } from "ws";
import { WebSocketServer } from "ws";
import { obey } from "../measured/contender.ts";
import { Sockets } from "./sockets.ts";

const http = createServer();
const sockets = new Sockets(http);
const server = new WebSocketServer({ server: http, perMessageDeflate: false, clientTracking: false });
const subscribers = new Map<string, Set<WebSocket>>();
server.on("connection", (socket) => {
  let channel: string | undefined;
  socket.on("message", (data) => {
    channel = data.toString();
    const readers = subscribers.get(channel) ?? new Set();
    subscribers.set(channel, readers.add(socket));
    socket.send("joined");
  });
  socket.on("close", () => subscribers.get(channel ?? "")?.delete(socket));
  socket.on("error", () => socket.terminate());
});
await new Promise<void>((listening) => http.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, listening));

obey({
  port: (http.address() as AddressInfo).port,
  connections: () => [...subscribers.values()].reduce((sum, readers) => sum + readers.size, 0),
  publish(channel, payload) {
    const bytes = Buffer.from(JSON.stringify(payload));
    for (const socket of subscribers.get(channel) ?? []) socket.send(bytes, { binary: false });
  },
  cut: () => sockets.cut(),
  close: () => http.close(),
});
