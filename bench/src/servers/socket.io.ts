/**
 * Socket.IO: WebSocket only, no compression, the handshake's request let go of as its page on memory says; where it is asked for, with its
 * recovery of connections, in memory.
 *
 *     node bench/src/servers/socket.io.ts FOLDER [recovery]      (started with an IPC channel)
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { obey } from "../measured/contender.ts";
import { EVENT } from "./app.ts";
import { Sockets } from "./sockets.ts";

const [, recovery] = process.argv.slice(2);
const http = createServer();
const sockets = new Sockets(http);
const io = new Server(http, {
  transports: ["websocket"],
  allowUpgrades: false,
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
  ...(recovery === undefined
    ? {}
    : { connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true } }),
});
io.engine.on("connection", (connection: { request: unknown }) => {
  connection.request = null;
});
io.on("connection", (socket) => {
  socket.on("join", (channel: string, joined: () => void) => {
    void socket.join(channel);
    joined();
  });
  // A client's publish goes to everyone in the room, and is acknowledged.
  socket.on("publish", (channel: string, payload: object, published: () => void) => {
    io.to(channel).emit(EVENT, payload);
    published();
  });
});
await new Promise<void>((listening) => http.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, listening));

obey({
  port: (http.address() as AddressInfo).port,
  connections: () => io.engine.clientsCount,
  publish: (channel, payload) => void io.to(channel).emit(EVENT, payload),
  cut: () => sockets.cut(),
  close: () => io.close(),
});
