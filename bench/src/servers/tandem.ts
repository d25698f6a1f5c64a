/**
 * Tandem as `createServer` makes it: events declared, validated, and stored in SQLite before they are delivered.
 *
 *     node bench/src/servers/tandem.ts FOLDER      (started with an IPC channel)
 */
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { nodeRuntime } from "@tandem/runtime/node";
import { createServer } from "@tandem/server";
import { obey } from "../measured/contender.ts";
import { app, EVENT } from "./app.ts";
import { UNLIMITED } from "./limits.ts";
import { Sockets } from "./sockets.ts";

const [folder = "."] = process.argv.slice(2);
const http = createHttpServer();
const sockets = new Sockets(http);
const server = await createServer(app, {
  data: folder,
  limits: UNLIMITED,
  runtime: nodeRuntime({ level: "error", format: "pretty" }),
});
server.attach(http);
await new Promise<void>((listening) => http.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, listening));
const application = server.application();

obey({
  port: (http.address() as AddressInfo).port,
  connections: () => server.connections,
  publish: (channel, payload) => application.publish(channel, EVENT, payload),
  cut: () => sockets.cut(),
  async close() {
    await server.close();
    http.close();
  },
});
