import type { AppDefinition } from "@tandem/app";
import type { Limits } from "@tandem/protocol";
import { DEFAULT_LIMITS } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import * as v from "valibot";
import { AccessRules } from "./access/access-rules.ts";
import type { Authenticator } from "./access/authenticator.ts";
import { TenantSchema } from "./access/claims.ts";
import { PersonalChannels } from "./access/personal-channels.ts";
import type { RevocationFeed } from "./access/revocation-feed.ts";
import { createRevocationFeed } from "./access/revocation-feed.ts";
import { REVOCATION_CHANNEL } from "./access/revocation-log.ts";
import type { Revocation } from "./access/revocations.ts";
import { Application } from "./application/application.ts";
import { Deadlines } from "./application/deadlines.ts";
import type { Bus } from "./bus/bus.ts";
import { BusLine } from "./bus/line.ts";
import { Channels } from "./channel/channels.ts";
import type { RecentBounds } from "./channel/recent.ts";
import { RECENT_BOUNDS } from "./channel/recent.ts";
import { Connections } from "./connection/connections.ts";
import type { Transport, TransportEvents } from "./connection/transport.ts";
import { Turnstile } from "./connection/turnstile.ts";
import type { FlushBounds } from "./delivery/flush.ts";
import { FLUSH_BOUNDS, Flushing } from "./delivery/flush.ts";
import { FOLLOWING_CHANNEL, Followings } from "./following/followings.ts";
import type { Log, LogHealth } from "./log/log.ts";
import { Models } from "./model/models.ts";
import type { Vault } from "./model/vault.ts";
import { Presence } from "./presence/presence.ts";

export interface NodeOptions {
  readonly app: AppDefinition;
  readonly log: Log;
  readonly bus: Bus;
  readonly authenticator: Authenticator;
  readonly runtime: Runtime;
  /** A one-way digest of a text as base64url, 22 letters at least: names are made of secrets by it. */
  readonly digest: (text: string) => string;
  /** Seals what models keep secret. */
  readonly vault: Vault;
  /** Bounds told to clients. Default: `DEFAULT_LIMITS`. */
  readonly limits?: Partial<Limits> | undefined;
  /** How much of each channel's newest history is kept in memory. Default: 512 events, 256 KB. */
  readonly recent?: RecentBounds | undefined;
  /** Bounds of the pause between two flushes of deliveries. Default: none on a quiet node, at most 6 ms on a busy one. */
  readonly flush?: Partial<FlushBounds> | undefined;
  /** Longest life of a token that the authenticator admits, in milliseconds: revocations are kept that long. Default 30 days. */
  readonly tokenLifetime?: number | undefined;
}

/**
 * One server process, without the adapters around it: what comes in by `accept` and by `application` goes through
 * channel and log, and out to whoever reads. Several nodes on one log and one bus are one server to their clients.
 */
export class Node {
  readonly #app: AppDefinition;
  readonly #log: Log;
  readonly #runtime: Runtime;
  readonly #limits: Limits;
  readonly #line: BusLine;
  readonly #channels: Channels;
  readonly #models: Models;
  readonly #presence: Presence;
  readonly #rules: AccessRules;
  readonly #personal: PersonalChannels;
  readonly #followings: Followings;
  readonly #revocations: RevocationFeed;
  readonly #connections: Connections;
  readonly #deadlines: Deadlines;
  readonly #applications = new Map<string, Application>();
  #draining = false;

  constructor(options: NodeOptions) {
    const { app, log, bus, authenticator, runtime } = options;
    this.#app = app;
    this.#log = log;
    this.#runtime = runtime;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#line = new BusLine(bus, runtime.randomId(), runtime);
    this.#channels = new Channels(app, log, this.#line, runtime, options.recent ?? RECENT_BOUNDS);
    this.#deadlines = new Deadlines({ log, runtime, application: (tenant) => this.application(tenant) });
    this.#models = new Models({
      log,
      runtime,
      limits: this.#limits,
      vault: options.vault,
      deadlineSet: (at) => this.#deadlines.note(at),
    });
    this.#channels.beforeTrims((key, retention) => this.#models.beforeTrim(this.#channels, key, retention));
    this.#presence = new Presence({
      runtime,
      line: this.#line,
      limits: this.#limits,
      definitionOf: (channel) => this.#channels.definitionOf(channel),
      digest: options.digest,
    });
    const personal = new PersonalChannels(app, options.digest);
    this.#personal = personal;
    this.#rules = new AccessRules({ app, personal, runtime });
    this.#followings = new Followings({
      log,
      personal,
      runtime,
      most: this.#limits.following,
      tellOthers: () => void this.#channels.changed(FOLLOWING_CHANNEL),
    });
    this.#revocations = createRevocationFeed({ log, runtime, lifetime: options.tokenLifetime });
    const revocations = this.#revocations;
    this.#connections = new Connections({
      authenticator,
      channels: this.#channels,
      models: this.#models,
      presence: this.#presence,
      digest: options.digest,
      rules: this.#rules,
      personal,
      followings: this.#followings,
      runtime,
      limits: this.#limits,
      turn: new Flushing(runtime, { ...FLUSH_BOUNDS, ...options.flush }),
      gate: {
        get open() {
          return revocations.fresh();
        },
      },
      turnstile: new Turnstile(this.#limits, runtime),
      refusalOf: (identity) => revocations.refusalOf(identity),
    });
  }

  /** Resolves when the node may take connections. Rejects when the log cannot be read. */
  async start(): Promise<void> {
    this.#revocations.onRevoked((revocation) => {
      if (revocation.kind === "rights") this.#connections.invalidate(revocation);
      else this.#connections.revoke((identity) => this.#revocations.isRevoked(identity));
    });
    this.#revocations.onFresh(() => this.#connections.wake());
    this.#channels.watch(REVOCATION_CHANNEL, () => this.#revocations.hint());
    this.#channels.watch(FOLLOWING_CHANNEL, () => void this.#followings.look());
    await this.#revocations.start();
    this.#line.start();
    this.#followings.start();
    this.#channels.start();
    this.#presence.start();
    this.#connections.start();
    this.#deadlines.start();
  }

  get app(): AppDefinition {
    return this.#app;
  }

  get limits(): Limits {
    return this.#limits;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Takes a client that has come by some transport. */
  accept(transport: Transport): TransportEvents {
    return this.#connections.accept(transport);
  }

  /** The application's own side of a tenant. @throws RangeError when that is not a tenant's name */
  application(tenant = "default"): Application {
    if (!v.is(TenantSchema, tenant)) {
      throw new RangeError(`"${tenant}" is not a tenant's name: small letters, digits and - (63 at most)`);
    }
    let application = this.#applications.get(tenant);
    if (!application) {
      const ports = {
        channels: this.#channels,
        models: this.#models,
        personal: this.#personal,
        followings: this.#followings,
        presence: this.#presence,
        log: this.#log,
        runtime: this.#runtime,
        limits: this.#limits,
      };
      application = new Application(tenant, ports);
      this.#applications.set(tenant, application);
    }
    return application;
  }

  /** Revokes a token, a user or a tenant, on every node. Resolves when that is durable; it takes effect within 2 s. */
  async revoke(revocation: Revocation): Promise<void> {
    await this.#revocations.revoke(revocation);
    await this.#channels.changed(REVOCATION_CHANNEL);
  }

  /**
   * The rights of everybody, of a tenant or of one user have changed: they are asked for anew, on every node, and
   * subscriptions that are not covered any more end. Takes effect within 2 s; rejects as `revoke` does.
   */
  invalidate(of: { readonly tenant?: string; readonly user?: string } = {}): Promise<void> {
    return this.revoke({ kind: "rights", ...of });
  }

  /** Whether the node may be sent clients, and why not. */
  readiness(): { readonly ready: true } | { readonly ready: false; readonly reason: string } {
    const health: LogHealth = this.#log.health();
    if (this.#draining) return { ready: false, reason: "draining" };
    if (!health.writable) return { ready: false, reason: `the log cannot be written: ${health.reason}` };
    if (!this.#revocations.fresh()) return { ready: false, reason: "revocations cannot be learnt" };
    return { ready: true };
  }

  /**
   * Lets its clients go in good order: tells them when to come back, finishes what they asked for, closes.
   *
   * @param spreadMs they are told to come back spread over this many milliseconds
   * @param patienceMs longest wait for what is under way
   */
  async drain(spreadMs: number, patienceMs: number): Promise<void> {
    this.#draining = true;
    await this.#connections.drain(spreadMs, patienceMs);
  }

  /** Ends what runs by itself. Connections that still stand are cut; the log is the caller's to close. */
  destroy(): void {
    this.#draining = true;
    this.#connections.destroy();
    this.#line.stop();
    this.#channels.close();
    this.#presence.close();
    this.#revocations.stop();
    this.#followings.stop();
    this.#deadlines.stop();
  }
}

export function createNode(options: NodeOptions): Node {
  return new Node(options);
}
