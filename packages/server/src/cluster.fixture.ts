import type { Codec, Limits } from "@tandem/protocol";
import { errorOf } from "@tandem/protocol";
import { expect, onTestFinished } from "vitest";
import type { Identity } from "./access/authenticator.ts";
import { sha256 } from "./access/jwt.ts";
import type { Rules } from "./app.fixture.ts";
import { appOf } from "./app.fixture.ts";
import type { Envelope } from "./bus/bus.ts";
import { RawClient } from "./connection/raw-client.fixture.ts";
import { VirtualRuntime } from "./connection/runtime.fixture.ts";
import { createMemoryLog } from "./log/memory.ts";
import { MemoryStore } from "./log/memory-store.ts";
import type { WatchedLog } from "./log/watched-log.fixture.ts";
import { watched } from "./log/watched-log.fixture.ts";
import { aesVault } from "./model/aes-vault.ts";
import type { Node } from "./node.ts";
import { createNode } from "./node.ts";

/** A bus between nodes that can be made to lose. */
export class LossyBus {
  readonly #listeners = new Set<(envelope: Envelope) => void>();
  /** Which messages are lost. */
  loses: (envelope: Envelope) => boolean = () => false;

  send(envelope: Envelope): void {
    if (this.loses(envelope)) return;
    for (const listener of this.#listeners) listener(envelope);
  }

  listen(listener: (envelope: Envelope) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export interface ClusterOptions {
  readonly nodes?: number;
  readonly limits?: Partial<Limits>;
}

/** Nodes on one store and one bus, under virtual time. Ends with the test, and holds every client's faults against it. */
export class Cluster {
  readonly runtime = new VirtualRuntime();
  readonly rules: Rules = { lenient: false, club: undefined, hall: undefined, pause: undefined, blind: false };
  readonly store = new MemoryStore();
  readonly bus = new LossyBus();
  readonly logs: WatchedLog[] = [];
  readonly nodes: Node[] = [];
  readonly clients: RawClient[] = [];
  readonly #identities = new Map<string, Identity>();
  readonly #limits: Partial<Limits>;

  constructor(options: ClusterOptions) {
    this.#limits = options.limits ?? {};
  }

  async addNode(): Promise<Node> {
    const log = watched(createMemoryLog({ store: this.store }));
    const node = createNode({
      app: appOf(this.rules),
      log: log.log,
      bus: this.bus,
      authenticator: { authenticate: async ({ token = "" }) => this.#identify(token) },
      runtime: this.runtime,
      digest: sha256,
      vault: aesVault,
      limits: this.#limits,
    });
    this.logs.push(log);
    this.nodes.push(node);
    await node.start();
    return node;
  }

  #identify(token: string): Identity {
    const identity = this.#identities.get(token);
    if (!identity) throw errorOf("token-invalid");
    return identity;
  }

  /** A token, by its name. */
  token(name: string, identity: Partial<Identity> = {}): string {
    this.#identities.set(name, {
      tenant: "acme",
      user: name,
      name: undefined,
      guest: false,
      grants: { "*": ["read", "publish", "presence", "signal"] },
      expires: undefined,
      issued: this.runtime.now(),
      token: `jti-${name}`,
      ...identity,
    });
    return name;
  }

  /** A client that has connected, and said nothing. */
  stranger(node = 0, codec?: Codec, address?: string): RawClient {
    const client = new RawClient(this.runtime, codec);
    if (address !== undefined) client.address = address;
    this.clients.push(client);
    return client.connect((transport) => this.node(node).accept(transport));
  }

  /** A client of a user (a token of that name is made where there is none). */
  async client(user: string, node = 0, codec?: Codec, instance?: object, address?: string): Promise<RawClient> {
    const client = this.stranger(node, codec, address);
    expect(await client.hello(this.#tokenOf(user), instance)).toMatchObject({ type: "welcome" });
    return client;
  }

  #tokenOf(user: string): string {
    return this.#identities.has(user) ? user : this.token(user);
  }

  /** A client of a user that takes part in presence: its device named by `name`, its connection the `nth`. */
  async guest(user: string, { node = 0, name = user, nth = 1, side = false } = {}): Promise<RawClient> {
    const client = new RawClient(this.runtime);
    client.side = side;
    this.clients.push(client);
    client.connect((transport) => this.node(node).accept(transport));
    const instance = { secret: name.padEnd(22, "-"), connection: nth };
    expect(await client.hello(this.#tokenOf(user), instance)).toMatchObject({ type: "welcome" });
    return client;
  }

  /** The name by which others know the device that `guest` made. */
  device(user: string, name = user): string {
    return sha256(`acme/${user}/${name.padEnd(22, "-")}`).slice(0, 12);
  }

  node(at = 0): Node {
    return this.nodes[at] as Node;
  }

  log(at = 0): WatchedLog {
    return this.logs[at] as WatchedLog;
  }

  settle(): Promise<void> {
    return this.runtime.settle();
  }

  advance(ms: number): Promise<void> {
    return this.runtime.advance(ms);
  }

  /** Publishes texts by the application of the tenant `acme`. */
  async fill(name: string, count: number, node = 0, text: (n: number) => string = String): Promise<void> {
    const application = this.node(node).application("acme");
    const done = Promise.all(
      Array.from({ length: count }, (_, at) => application.publish(name, "message", { text: text(at + 1) })),
    );
    await this.settle();
    await done;
  }
}

export async function cluster(options: ClusterOptions = {}): Promise<Cluster> {
  const made = new Cluster(options);
  for (let at = 0; at < (options.nodes ?? 1); at++) await made.addNode();
  onTestFinished(() => {
    for (const node of made.nodes) node.destroy();
    expect(made.clients.flatMap((client) => client.faults)).toEqual([]);
  });
  return made;
}

/** The texts of events 1 to `count` as `fill` makes them. */
export function numbers(count: number, from = 1): string[] {
  return Array.from({ length: count - from + 1 }, (_, at) => String(from + at));
}
