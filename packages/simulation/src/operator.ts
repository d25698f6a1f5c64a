import type { Position } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Application, Node, Revocation } from "@tandem/server/core";
import type { EventType } from "./app.ts";
import type { Publish } from "./history.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

interface Numbered {
  readonly n: number;
}

/** The application's own side: publishes, takes back, erases, through whichever node is up. */
export class Operator {
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World, random = world.random) {
    this.#world = world;
    this.#random = random;
  }

  /** A node that is up, with its process, or nothing. */
  #somewhere(): { node: Node; process: Process } | undefined {
    const up = this.#world.hosts.filter((host) => host.up);
    if (up.length === 0) return undefined;
    const host = this.#random.pick(up);
    return host.node && host.process ? { node: host.node, process: host.process } : undefined;
  }

  publish(tenant: string, channel: string, event: EventType, data: Numbered): void {
    this.send(tenant, channel, data, (application) => application.publish(channel, event, data));
  }

  /** Publishes in whichever way, what ends up on `channel`. */
  send(
    tenant: string,
    channel: string,
    data: Numbered,
    publish: (application: Application) => Promise<Position>,
  ): void {
    const at = this.#somewhere();
    if (!at) return;
    const { clock, history } = this.#world;
    const by = `application.${at.process.name}`;
    const asked: Publish = history.invoke({
      n: data.n,
      by,
      channel: `${tenant}/${channel}`,
      data: JSON.stringify(data),
      invokedAt: clock.now,
      due: undefined,
    });
    at.process.whenGone(() => {
      if (!asked.verdict) history.settle(asked, clock.now, { kind: "unknown", code: "crash" });
    });
    publish(at.node.application(tenant)).then(
      (position: Position) => history.settle(asked, clock.now, { kind: "ok", position }),
      (error: unknown) => {
        const code = error instanceof TandemError ? error.code : "internal";
        const final = error instanceof TandemError && !error.retryable && code !== "unknown-outcome";
        history.settle(asked, clock.now, final ? { kind: "fail", code } : { kind: "unknown", code });
      },
    );
  }

  /** Puts a channel on a user's list, or takes it from there. What fails may have taken effect, or take it later. */
  changeFollowing(type: "follow" | "unfollow", tenant: string, user: string, channel: string): void {
    const at = this.#somewhere();
    if (!at) return;
    const { clock, lists, tally } = this.#world;
    const change = lists.asked({ tenant, user, type, channel, invokedAt: clock.now });
    at.node
      .application(tenant)
      [type](user, channel)
      .then(
        () => {
          lists.answered(change, clock.now);
          tally.count("path", `application-${type}-done`);
          const stands = lists
            .between(change, change.invokedAt, clock.now)
            .some(({ channels }) => channels.includes(channel) === (type === "follow"));
          const text = `the application's ${type} of ${channel} for ${user} was answered, and is not stored`;
          if (!stands) this.#world.history.violate("U3", clock.now, text);
        },
        (error: unknown) => {
          if (!(error instanceof TandemError)) throw error;
          change.givenUpAt = clock.now;
          tally.count("path", `application-${type}-failed`);
        },
      );
  }

  /** Does something to a channel. What cannot be done now is not done: nothing was promised. */
  administer(what: string, tenant: string, action: (application: Application) => Promise<unknown>): void {
    const at = this.#somewhere();
    if (!at) return;
    const { tally } = this.#world;
    action(at.node.application(tenant)).then(
      () => tally.count("path", `${what}-done`),
      (error: unknown) => {
        if (!(error instanceof TandemError)) throw error;
        tally.count("path", `${what}-failed`);
      },
    );
  }

  /** Takes back every token that a user has. */
  revoke(tenant: string, user: string): void {
    const at = this.#somewhere();
    if (at) this.#tell("revoked", at.node, { kind: "user", tenant, user, before: at.process.runtime.now() });
  }

  /** Puts a user out of the clubs of its tenant. */
  expel(tenant: string, user: string): void {
    const at = this.#somewhere();
    if (!at) return;
    this.#world.memberships.expel(tenant, user);
    this.#world.revocations.changed(tenant, user);
    this.#tell("expelled", at.node, { kind: "rights", tenant, user });
  }

  /** Lets a user in again. */
  admit(tenant: string, user: string): void {
    const at = this.#somewhere();
    if (!at) return;
    const { memberships, revocations, tally } = this.#world;
    memberships.admit(tenant, user);
    revocations.changed(tenant, user);
    at.node.invalidate({ tenant, user }).then(
      () => {
        tally.count("path", "admitted");
        memberships.settled(tenant, user);
      },
      (error: unknown) => {
        if (!(error instanceof TandemError)) throw error;
      },
    );
  }

  #tell(what: string, node: Node, revocation: Revocation): void {
    const { clock, revocations, tally } = this.#world;
    node.revoke(revocation).then(
      () => {
        tally.count("path", what);
        revocations.durable(clock.now, revocation);
      },
      (error: unknown) => {
        if (!(error instanceof TandemError)) throw error;
        tally.count("path", `${what}-failed`);
      },
    );
  }
}
