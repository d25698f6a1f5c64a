/**
 * Bun's own publish and subscribe, in C++.
 *
 *     bun bench/src/servers/bun.ts FOLDER      (started with an IPC channel)
 */
import { obey } from "../measured/contender.ts";

interface BunSocket {
  subscribe(topic: string): void;
  send(text: string): number;
  terminate(): void;
}

interface BunServer {
  readonly port: number;
  upgrade(request: Request): boolean;
  publish(topic: string, text: string): number;
  stop(now: boolean): void;
}

/** The part of Bun that is used here. */
declare const Bun: {
  serve(options: {
    readonly port: number;
    readonly hostname: string;
    fetch(request: Request, server: BunServer): Response | undefined;
    readonly websocket: {
      readonly perMessageDeflate: boolean;
      open(socket: BunSocket): void;
      message(socket: BunSocket, text: string): void;
      close(socket: BunSocket): void;
    };
  }): BunServer;
};

const sockets = new Set<BunSocket>();
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request, own) => (own.upgrade(request) ? undefined : new Response(undefined, { status: 426 })),
  websocket: {
    perMessageDeflate: false,
    open: (socket) => void sockets.add(socket),
    message(socket, channel) {
      socket.subscribe(channel);
      socket.send("joined");
    },
    close: (socket) => void sockets.delete(socket),
  },
});

obey({
  port: server.port,
  connections: () => sockets.size,
  publish: (channel, payload) => void server.publish(channel, JSON.stringify(payload)),
  cut() {
    const { size } = sockets;
    for (const socket of sockets) socket.terminate();
    return size;
  },
  close: () => server.stop(true),
});
