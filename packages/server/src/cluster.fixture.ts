import { channel, defineApp, event } from "@tandem/app";
import { chat, job, stream } from "@tandem/model";
import type { Codec, Limits } from "@tandem/protocol";
import { errorOf } from "@tandem/protocol";
import * as v from "valibot";
import { expect, onTestFinished } from "vitest";
import type { Identity } from "./access/authenticator.ts";
import { sha256 } from "./access/jwt.ts";
import type { Envelope } from "./bus/bus.ts";
import { RawClient } from "./connection/raw-client.fixture.ts";
import { VirtualRuntime } from "./connection/runtime.fixture.ts";
import type { Log } from "./log/log.ts";
import { createMemoryLog } from "./log/memory.ts";
import { MemoryStore } from "./log/memory-store.ts";
import { aesVault } from "./model/aes-vault.ts";
import { meter } from "./model/meter.fixture.ts";
import type { Node } from "./node.ts";
import { createNode } from "./node.ts";

const Message = v.object({ text: v.string() });

/** Switches that tests turn: what the app's functions answer. */
export interface Rules {
  /** The schema of `strict` takes everything. */
  lenient: boolean;
  /** Rights that the `access` functions of `club` and `salon` give; undefined: as granted. */
  club: readonly ("read" | "publish")[] | Promise<readonly ("read" | "publish")[]> | undefined;
  /** Rights that the `access` function of `hall` gives; undefined: as granted. */
  hall: readonly ("read" | "presence" | "signal")[] | undefined;
  /** The schema of `slow` waits for this before it answers for a text. */
  pause: ((text: string) => Promise<void>) | undefined;
  /** The `visible` function of `private` throws. */
  blind: boolean;
}

/** Where a member of `hall` is. */
function placeOf({ page }: { page: string }): string {
  if (page === "broken") throw new Error("near failed");
  return page;
}

/** A schema that takes its time. */
const Slow = v.pipeAsync(
  v.number(),
  v.checkAsync(async () => true),
);

function appOf(rules: Rules) {
  const strict = v.pipe(
    v.unknown(),
    v.check(() => rules.lenient, "is not taken now"),
  );
  const slow = v.pipeAsync(
    Message,
    v.checkAsync(async ({ text }) => {
      await rules.pause?.(text);
      return true;
    }),
  );
  return defineApp({
    channels: {
      room: channel({ events: { message: Message } }),
      strict: channel({ events: { message: strict } }),
      slow: channel({ events: { message: slow } }),
      note: channel({
        events: {
          message: event({
            version: 2,
            schema: v.object({ text: v.string(), tone: v.string() }),
            upcasters: { 1: (data) => ({ ...(data as object), tone: "plain" }) },
          }),
        },
      }),
      private: channel({
        events: { message: v.object({ text: v.string(), to: v.string() }) },
        visible: ({ data }, viewer) => {
          if (rules.blind) throw new Error("visible failed");
          return (data as { to: string } | null)?.to === viewer.user;
        },
      }),
      club: channel({ events: { message: Message }, access: async ({ granted }) => rules.club ?? granted }),
      alert: channel({ events: { message: Message }, priority: "critical" }),
      bulk: channel({ events: { message: Message }, priority: "bulk" }),
      hall: channel({
        events: { message: Message },
        presence: { state: v.object({ page: v.string() }), show: 4, near: placeOf },
        access: ({ granted }) => rules.hall ?? granted,
        signals: { cursor: v.object({ x: v.number() }), typing: v.boolean(), slow: Slow },
      }),
      salon: channel({
        events: { message: Message },
        presence: { state: slow },
        access: async ({ granted }) => rules.club ?? granted,
        signals: { typing: v.boolean() },
      }),
      kept: channel({ events: { message: Message }, retention: { count: 20 } }),
      alarm: channel({
        events: { message: Message, raised: v.object({ text: v.string(), severity: v.number() }) },
        filterable: ["severity", "text"],
        visible: ({ data }) => !(data as { text?: string } | null)?.text?.startsWith("secret"),
      }),
      ticker: channel({
        events: { message: Message },
        overflow: "latest",
        key: ({ data }) => {
          const [key = ""] = (data as { text: string }).text.split(" ");
          if (key === "keyless") throw new Error("key failed");
          return key;
        },
      }),
      user: channel({ events: { message: Message } }),
      "user-urgent": channel({ events: { message: Message }, priority: "critical" }),
      tenant: channel({ events: { message: Message } }),
      lab: channel({
        events: { message: Message },
        models: { meter, other: meter },
        protect: (write) =>
          "event" in write && (write.data as { text?: string } | null)?.text === "guarded" ? "meter/only" : undefined,
      }),
      short: channel({ events: { message: Message }, models: { meter }, retention: { count: 20 } }),
      desk: channel({
        events: { message: Message },
        models: { jobs: job() },
        // Messages are written by who holds the job that they begin with.
        protect: (write) =>
          "event" in write ? `jobs/${(write.data as { text: string }).text.split(" ")[0]}` : undefined,
      }),
      text: channel({ events: {}, models: { stream: stream({ rights: { stop: "read" } }) } }),
      talk: channel({ events: {}, models: { chat: chat() } }),
      brisk: channel({ events: { message: Message }, overflow: "disconnect" }),
    },
  });
}

type Method = keyof Log;

/** A log that counts what it is asked, and that can be made to fail or to wait. */
export interface WatchedLog {
  readonly log: Log;
  readonly calls: { readonly method: Method; readonly about: unknown }[];
  /** Methods that fail now; `after`: only after they took effect. */
  failing: Partial<Record<Method, "before" | "after" | "twice">>;
  /** Methods that wait until this is let go. */
  held: Partial<Record<Method, Promise<void>>>;
  /** Methods whose answers wait until this is let go. */
  late: Partial<Record<Method, Promise<void>>>;
  count(method: Method, about?: unknown): number;
}

function watched(inner: Log): WatchedLog {
  const calls: { method: Method; about: unknown }[] = [];
  const watch: Omit<WatchedLog, "log"> = {
    calls,
    failing: {},
    held: {},
    late: {},
    count: (method, about) =>
      calls.filter((call) => call.method === method && (about === undefined || call.about === about)).length,
  };
  const log = new Proxy(inner, {
    get: (target, method: Method) => {
      if (method === "health") return () => target.health();
      return async (...args: never[]) => {
        calls.push({ method, about: args[0] });
        await watch.held[method];
        const failing = watch.failing[method];
        const broken = () => errorOf("storage-unavailable");
        if (failing === "before") throw broken();
        // Takes effect, loses its answer, is asked again: what is answered is the second attempt.
        if (failing === "twice") await (target[method] as (...args: never[]) => unknown)(...args);
        const answer = await (target[method] as (...args: never[]) => unknown)(...args);
        await watch.late[method];
        if (failing === "after") throw broken();
        return answer;
      };
    },
  });
  return Object.assign(watch, { log });
}

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
