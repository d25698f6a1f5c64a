import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { request as ask, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";

/** What stands between a client and its servers. */
export interface Behaviour {
  /** `refuse`: 403; `swallow`: taken, and never answered. */
  upgrades: "pass" | "refuse" | "swallow";
  /** Holds every response back until it is complete. */
  buffers: boolean;
  /** Cuts every response after so many milliseconds. */
  cutsAfterMs: number | undefined;
}

/** An HTTP proxy of the kinds that are found in the wild: passes each request to the next of its servers, in turns. */
export class Middlebox {
  readonly behaviour: Behaviour;
  /** Requests passed on, by path; upgrades by `upgrade`. */
  readonly counts = new Map<string, number>();
  readonly #targets: readonly number[];
  readonly #http: Server;
  readonly #sockets = new Set<Socket>();
  #turn = 0;

  private constructor(targets: readonly number[], behaviour: Partial<Behaviour>) {
    this.#targets = targets;
    this.behaviour = { upgrades: "pass", buffers: false, cutsAfterMs: undefined, ...behaviour };
    this.#http = createServer((request, response) => this.#pass(request, response));
    this.#http.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#http.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  /** @param targets ports of the servers behind it */
  static async start(targets: readonly number[], behaviour: Partial<Behaviour> = {}): Promise<Middlebox> {
    const proxy = new Middlebox(targets, behaviour);
    await new Promise<void>((resolve) => proxy.#http.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  count(path: string): number {
    return this.counts.get(path) ?? 0;
  }

  /** Cuts whatever goes through it now. */
  kill(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.kill();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #next(request: IncomingMessage) {
    const path = request.headers.upgrade ? "upgrade" : (request.url ?? "");
    this.counts.set(path, this.count(path) + 1);
    const port = this.#targets[this.#turn++ % this.#targets.length] ?? 0;
    const { method, url, headers } = request;
    return ask({ host: "127.0.0.1", port, method, path: url, headers, agent: false });
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const { buffers, cutsAfterMs } = this.behaviour;
    const passed = this.#next(request);
    const cut = () => response.destroy();
    const timer = cutsAfterMs === undefined ? undefined : setTimeout(cut, cutsAfterMs);
    passed.on("error", cut);
    response.on("close", () => {
      clearTimeout(timer);
      passed.destroy();
    });
    passed.on("response", (answer) => {
      answer.on("error", cut);
      if (!buffers) {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        response.flushHeaders();
        answer.pipe(response);
        return;
      }
      const held: Buffer[] = [];
      answer.on("data", (piece) => held.push(piece));
      answer.on("end", () => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        response.end(Buffer.concat(held));
      });
    });
    request.pipe(passed);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { upgrades } = this.behaviour;
    if (upgrades === "swallow") return;
    if (upgrades === "refuse") {
      socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    const passed = this.#next(request);
    passed.on("error", () => socket.destroy());
    passed.on("response", (answer) => {
      socket.end(`HTTP/1.1 ${answer.statusCode} Turned down\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    });
    passed.on("upgrade", (answer, behind, first) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`);
      behind.write(head);
      socket.write(first);
      behind.pipe(socket).pipe(behind);
      behind.on("error", () => socket.destroy()).on("close", () => socket.destroy());
      socket.on("error", () => behind.destroy()).on("close", () => behind.destroy());
    });
    passed.end();
  }
}
