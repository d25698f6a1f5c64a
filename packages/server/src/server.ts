import type { Server as HttpServer } from "node:http";
import { join, resolve } from "node:path";
import type { AppDefinition } from "@tandem/app";
import type { Limits } from "@tandem/protocol";
import { DEFAULT_LIMITS, limitFaults } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { nodeRuntime } from "@tandem/runtime/node";
import type { Authenticator } from "./access/authenticator.ts";
import { createJwtAuthenticator, sha256 } from "./access/jwt.ts";
import type { Application } from "./application/application.ts";
import type { Bus } from "./bus/bus.ts";
import { createInProcessBus } from "./bus/in-process.ts";
import type { Transport } from "./connection/transport.ts";
import type { Log } from "./log/log.ts";
import { createSqliteLog } from "./log/sqlite/sqlite.ts";
import { aesVault } from "./model/aes-vault.ts";
import type { Node } from "./node.ts";
import { createNode } from "./node.ts";
import type { Readiness } from "./operations/health.ts";
import type { HttpApp } from "./operations/http.ts";
import { httpApp } from "./operations/http.ts";
import { Listener } from "./operations/listener.ts";
import type { Roads } from "./transport/attach.ts";
import { attach } from "./transport/attach.ts";
import { trustedProxies } from "./transport/client-address.ts";
import { HttpRoad } from "./transport/http-road.ts";
import { Room } from "./transport/room.ts";
import { WebSockets } from "./transport/websocket.ts";

/** The database's file in the data folder. */
export const LOG_FILE = "tandem.db";

export interface ServerOptions {
  /** The folder of the database. Default `./data`. Not used where `log` is given. */
  readonly data?: string;
  /** Where channels are stored. Default: SQLite in `data`. It is closed with the server. */
  readonly log?: Log;
  /** What carries live traffic between nodes. Default: within this process. */
  readonly bus?: Bus;

  /** Signs tokens (HS256); 32 bytes at least. */
  readonly secret?: string | undefined;
  /** Where the public keys for tokens are. */
  readonly jwks?: { readonly url: string } | { readonly file: string } | undefined;
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  /** Longest life of a token in seconds. Default 30 days. */
  readonly maxTokenSeconds?: number | undefined;
  /** Tells who someone is, instead of all of the above. */
  readonly authenticator?: Authenticator;

  /** The path of the WebSocket; the other road is under it. Default `/ws`. */
  readonly path?: string;
  /** Origins whose pages may connect. Default: pages from the host they connect to. */
  readonly origins?: readonly string[] | undefined;
  /** Networks whose `X-Forwarded-For` is believed. Default: none. */
  readonly trustProxy?: readonly string[];
  /** Most connections at one time. Default 20,000. */
  readonly maxConnections?: number;
  /** Bounds told to clients. Default: `DEFAULT_LIMITS`. */
  readonly limits?: Partial<Limits>;
  /**
   * Longest time, in milliseconds, that an event waits on a busy node for others to go out in the same write, and for that write.
   * Default 6; 0: none ever waits. On a quiet node, and in the critical lane, none does.
   */
  readonly flushMs?: number | undefined;
  /** Frames from this length in bytes go out compressed, to clients that offer it. Default 1,024; 0: never. */
  readonly compressAbove?: number | undefined;
  /** Milliseconds that `drain` may take. Default 10,000. */
  readonly drainMs?: number;

  /** For `listen`. Default 127.0.0.1 and 8080; port 0 takes one that is free. */
  readonly host?: string;
  readonly port?: number;
  /** A folder of files that `listen` serves at `/`. */
  readonly files?: string | undefined;

  /** Clock, timers, random, logger. Default: this process's, with a log of JSON lines on standard error. */
  readonly runtime?: Runtime;
}

/**
 * Starts a server for an application: opens its log and takes clients once it is told where.
 *
 * @example
 * const server = await createServer(app, { secret: process.env.APP_SECRET });
 * server.attach(httpServer); // or: await server.listen()
 * await server.application().publish("room:42", "message", { text: "hello" });
 * @throws TandemError (by rejection) `storage-unavailable` when the log cannot be opened
 * @throws RangeError (by rejection) on an option that cannot be
 */
export async function createServer(app: AppDefinition, options: ServerOptions = {}): Promise<Server> {
  const runtime = options.runtime ?? nodeRuntime();
  const [fault] = limitFaults({ ...DEFAULT_LIMITS, ...options.limits }, (limit) => `limits.${limit}`);
  if (fault !== undefined) throw new RangeError(fault);
  const trusted = trustedProxies(options.trustProxy ?? []);
  const authenticator = options.authenticator ?? tokensOf(app, options, runtime);
  const log =
    options.log ?? (await createSqliteLog({ file: join(resolve(options.data ?? "./data"), LOG_FILE), runtime }));
  const node = createNode({
    app,
    log,
    bus: options.bus ?? createInProcessBus(),
    authenticator,
    runtime,
    digest: sha256,
    vault: aesVault,
    limits: options.limits,
    flush: options.flushMs === undefined ? undefined : { mostMs: options.flushMs },
    tokenLifetime: lifetimeOf(options),
  });
  try {
    await node.start();
  } catch (error) {
    node.destroy();
    await log.close();
    throw error;
  }
  const room = new Room(options.maxConnections ?? 20_000);
  const common = {
    path: options.path ?? "/ws",
    limits: node.limits,
    origins: options.origins,
    trusted,
    room,
    runtime,
    accept: (transport: Transport) => node.accept(transport),
  };
  const roads = {
    webSockets: new WebSockets({ ...common, compressAbove: options.compressAbove ?? 1_024 }),
    httpRoad: new HttpRoad(common),
  };
  return new Server({ node, log, roads, room, runtime, options });
}

function tokensOf(app: AppDefinition, options: ServerOptions, runtime: Runtime): Authenticator {
  const { secret, jwks, issuer, audience } = options;
  const maxLifetime = lifetimeOf(options);
  return createJwtAuthenticator({ runtime, secret, jwks, issuer, audience, maxLifetime, guests: app.guests });
}

/** The longest life of a token in milliseconds. */
function lifetimeOf({ maxTokenSeconds }: ServerOptions): number | undefined {
  return maxTokenSeconds === undefined ? undefined : maxTokenSeconds * 1_000;
}

interface Parts {
  readonly node: Node;
  readonly log: Log;
  readonly roads: Roads;
  readonly room: Room;
  readonly runtime: Runtime;
  readonly options: ServerOptions;
}

/** A started server: a node, the sockets around it, and where wanted an HTTP server of its own. */
export class Server {
  readonly node: Node;
  /** What it answers over HTTP, to be mounted in an application's own routes where wanted: health, files, the other road. */
  readonly http: HttpApp;
  readonly #parts: Parts;
  readonly #detach = new Set<() => void>();
  #listener: Listener | undefined;
  #draining = false;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.node = parts.node;
    this.http = httpApp({
      readiness: () => this.readiness(),
      files: parts.options.files,
      logger: parts.runtime.logger,
      road: { path: parts.options.path ?? "/ws", take: parts.roads.httpRoad },
    });
  }

  /** The application's own side of a tenant: publish, read, subscribe, consume, in this process. */
  application(tenant?: string): Application {
    return this.node.application(tenant);
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#parts.room.taken;
  }

  readiness(): Readiness {
    return this.#draining ? { ready: false, reason: "draining" } : this.node.readiness();
  }

  /**
   * Takes what comes to an HTTP server at this server's path: WebSockets, and the other road under it. Everything else is left alone.
   *
   * @returns the call that ends it
   */
  attach(httpServer: HttpServer): () => void {
    const release = attach(httpServer, this.#parts.roads);
    const detach = () => {
      release();
      this.#detach.delete(detach);
    };
    this.#detach.add(detach);
    return detach;
  }

  /**
   * Listens with an HTTP server of its own.
   *
   * @returns where, as a browser would write it
   * @throws Error (by rejection) as Node.js gives it: `EADDRINUSE`, `EACCES`
   */
  async listen(): Promise<{ readonly url: string; readonly port: number }> {
    const { host = "127.0.0.1", port = 8080, maxConnections = 20_000 } = this.#parts.options;
    const { webSockets } = this.#parts.roads;
    this.#listener = new Listener(this.http, { maxConnections, isUpgrade: (request) => webSockets.concerns(request) });
    this.attach(this.#listener.httpServer);
    return this.#listener.listen(host, port);
  }

  /**
   * Ends in good order: not ready any more, new connections turned away, clients told when to come back, what they asked for
   * finished, connections closed with 4500, the log closed. Takes at most `drainMs`, but for a write that the disk holds up.
   */
  async drain(): Promise<void> {
    const { room, options } = this.#parts;
    const { drainMs = 10_000 } = options;
    this.#draining = true;
    room.drain();
    const share = drainMs / 2;
    await this.node.drain(share, share);
    await this.#gone(share / 2);
    await this.close();
  }

  /** Waits until every client has taken the close. */
  async #gone(patience: number): Promise<void> {
    const { room, runtime } = this.#parts;
    const until = runtime.elapsed() + patience;
    while (room.taken > 0 && runtime.elapsed() < until) {
      await new Promise<void>((look) => runtime.timer(20, look));
    }
  }

  /** Ends at once: connections are cut, the log is closed. What was acknowledged is on the disk. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { roads, room, node, log } = this.#parts;
    this.#draining = true;
    for (const detach of [...this.#detach]) detach();
    node.destroy();
    room.drain();
    roads.webSockets.destroy();
    roads.httpRoad.destroy();
    await Promise.all([this.#listener?.close(), log.close()]);
  }
}
