/**
 * The servers under test, in a process of their own: Tandem with a channel full of records, and a plain HTTP server that has the same as
 * one JSON document. Tells its ports once it is ready, and how many bytes it has sent whenever it is asked.
 *
 *     node bench/src/records/server.ts FOLDER RECORDS      (started with an IPC channel)
 */
import type { Server as HttpServer } from "node:http";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { nodeRuntime } from "@tandem/runtime/node";
import { createServer } from "@tandem/server";
import { UNLIMITED } from "../servers/limits.ts";
import { app } from "./app.ts";
import { CHANNEL, COLLECTION, cardOf, idOf, MODEL } from "./work.ts";

/** What the servers tell the benchmark. */
export type ServerReport =
  | { readonly kind: "ready"; readonly tandem: number; readonly json: number }
  | { readonly kind: "sent"; readonly tandem: number; readonly json: number };

/** Commands that wait at a time while the channel is filled. */
const AT_ONCE = 1_000;

const [folder = ".", wanted = "0"] = process.argv.slice(2);
const count = Number(wanted);
const server = await createServer(app, {
  data: folder,
  limits: UNLIMITED,
  runtime: nodeRuntime({ level: "error", format: "pretty" }),
});
const model = server.application().model(CHANNEL, MODEL);
for (let from = 0; from < count; from += AT_ONCE) {
  const indices = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, at) => from + at);
  await Promise.all(
    indices.map((index) => {
      return model.command("create", { collection: COLLECTION, id: idOf(index), value: cardOf(index) });
    }),
  );
}

const cards = Array.from({ length: count }, (_, index) => ({ id: idOf(index), ...cardOf(index) }));
// Made once, beforehand: the fastest that it can be.
const document = Buffer.from(JSON.stringify(cards));
const json = createHttpServer((_, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": document.length }).end(document);
});
const web = createHttpServer();
server.attach(web);

const [tandemPort, tandemBytes] = await listening(web);
const [jsonPort, jsonBytes] = await listening(json);
const tell = (report: ServerReport): void => void process.send?.(report);
process.on("message", () => tell({ kind: "sent", tandem: tandemBytes(), json: jsonBytes() }));
process.once("disconnect", () => process.exit());
tell({ kind: "ready", tandem: tandemPort, json: jsonPort });

/** Its port, and what it has sent over all its sockets. */
async function listening(http: HttpServer): Promise<[port: number, bytes: () => number]> {
  const sockets = new Set<Socket>();
  http.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((done) => http.listen(0, "127.0.0.1", done));
  return [
    (http.address() as AddressInfo).port,
    () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, 0),
  ];
}
