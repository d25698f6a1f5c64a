import type { TandemError } from "@tandem/protocol";
import { errorOf } from "@tandem/protocol";
import type { Logger, Runtime } from "@tandem/runtime";
import { systemRuntime } from "@tandem/runtime";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Append, Log } from "../log/log.ts";
import { createMemoryLog } from "../log/memory.ts";
import type { Identity } from "./authenticator.ts";
import type { RevocationFeed } from "./revocation-feed.ts";
import { createRevocationFeed } from "./revocation-feed.ts";
import { REVOCATION_CHANNEL } from "./revocation-log.ts";
import type { Revocation } from "./revocations.ts";

const HOUR = 3_600_000;

describe("the feed of revocations", () => {
  const error = vi.fn<Logger["error"]>();
  const warn = vi.fn<Logger["warn"]>();
  let runtime: Runtime;
  let log: Log;
  let feeds: RevocationFeed[];

  /** What the log does next instead of what it should. */
  let broken: "no" | "reads" | "hangs" | "appends" | "replies";

  beforeEach(() => {
    vi.useFakeTimers({ now: 1_800_000_000_000 });
    error.mockReset();
    warn.mockReset();
    runtime = systemRuntime({ debug() {}, info() {}, warn, error });
    feeds = [];
    broken = "no";
    log = faulty(createMemoryLog());
  });
  afterEach(() => {
    for (const feed of feeds) feed.stop();
    vi.useRealTimers();
  });

  function faulty(log: Log): Log {
    const down = () => errorOf("storage-unavailable");
    return {
      ...log,
      async read(channel, after, bounds) {
        if (broken === "reads") throw down();
        if (broken === "hangs") return new Promise(() => {});
        return log.read(channel, after, bounds);
      },
      async append(batch) {
        if (broken === "appends") throw down();
        const results = await log.append(batch);
        if (broken === "replies") throw down();
        return results;
      },
    };
  }

  function feed(of: { log?: Log; lifetime?: number } = {}): RevocationFeed {
    const made = createRevocationFeed({ log, runtime, ...of });
    feeds.push(made);
    return made;
  }
  async function started(of: { log?: Log; lifetime?: number } = {}): Promise<RevocationFeed> {
    const made = feed(of);
    await made.start();
    return made;
  }

  const token = (id: string): Revocation => ({ kind: "token", id, until: Date.now() + HOUR });
  const bearer = (id: string): Identity => ({
    tenant: "acme",
    user: "ada",
    name: undefined,
    guest: false,
    grants: {},
    expires: undefined,
    issued: Date.now(),
    token: id,
  });
  const stored = async () => (await log.heads([REVOCATION_CHANNEL]))[0]?.offset;
  const settled = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

  it("G10: a revocation is in effect here when it is durable, and on every node within 2 s", async () => {
    const [here, there] = [await started(), await started()];
    await here.revoke(token("t1"));
    expect(here.isRevoked(bearer("t1"))).toBe(true);
    expect(await stored()).toBe(1);
    expect(there.isRevoked(bearer("t1"))).toBe(false);
    await settled(1_000);
    expect(there.isRevoked(bearer("t1"))).toBe(true);
    expect(there.isRevoked(bearer("t2"))).toBe(false);
  });

  it("a hint makes it known at once", async () => {
    const [here, there] = [await started(), await started()];
    await here.revoke(token("t1"));
    there.hint();
    await settled();
    expect(there.isRevoked(bearer("t1"))).toBe(true);
  });

  it("G10: a hint that comes while the log is being read is not lost", async () => {
    const [here, there] = [await started(), await started()];
    const first = Promise.withResolvers<void>();
    const read = vi.spyOn(log, "read").mockImplementationOnce(async (channel, after, bounds) => {
      const early = await createMemoryLog().read(channel, after, bounds);
      await first.promise;
      return early;
    });
    there.hint();
    read.mockRestore();
    await here.revoke(token("t1"));
    there.hint();
    first.resolve();
    await settled();
    expect(there.isRevoked(bearer("t1"))).toBe(true);
  });

  it("tells each revocation once, and a listener that throws disturbs nothing", async () => {
    const [here, there] = [await started(), await started()];
    const [heard, heardThere] = [vi.fn(), vi.fn()];
    here.onRevoked(() => {
      throw new Error("listener");
    });
    here.onRevoked(heard);
    const end = there.onRevoked(heardThere);
    const revocation = token("t1");
    await Promise.all([here.revoke(revocation), here.revoke(revocation)]);
    await settled(3_000);
    expect(heard).toHaveBeenCalledExactlyOnceWith(revocation);
    expect(heardThere).toHaveBeenCalledExactlyOnceWith(revocation);
    end();
    await here.revoke(token("t2"));
    await settled(1_000);
    expect(heardThere).toHaveBeenCalledTimes(1);
    expect(error).toHaveBeenCalled();
  });

  it("G10: a node that starts knows the whole history before it is fresh", async () => {
    const here = await started();
    for (let batch = 0; batch < 12; batch++) {
      await Promise.all(Array.from({ length: 100 }, (_, n) => here.revoke(token(`t${batch * 100 + n}`))));
    }
    const late = feed();
    expect(late.fresh()).toBe(false);
    await late.start();
    expect(late.fresh()).toBe(true);
    for (const id of ["t0", "t499", "t500", "t1199"]) expect(late.isRevoked(bearer(id))).toBe(true);
  });

  it("a start that cannot read rejects, and may be tried again", async () => {
    broken = "reads";
    const late = feed();
    await expect(late.start()).rejects.toMatchObject({ code: "storage-unavailable" });
    expect(late.fresh()).toBe(false);
    broken = "no";
    await late.start();
    expect(late.fresh()).toBe(true);
    await expect(late.start()).rejects.toThrow(/before/);
  });

  it.each(["reads", "hangs"] as const)(
    "G10: not fresh when nothing could be learnt for 5 s (%s), and again afterwards",
    async (fault) => {
      const here = await started();
      const heard = vi.fn();
      here.onFresh(heard);
      await settled(3_000);
      broken = fault;
      await settled(4_900);
      expect(here.fresh()).toBe(true);
      await settled(200);
      expect(here.fresh()).toBe(false);
      expect(heard.mock.calls).toEqual([[false]]);
      await createRevocationElsewhere();
      broken = "no";
      await settled(6_000);
      expect(here.fresh()).toBe(true);
      expect(heard.mock.calls).toEqual([[false], [true]]);
      expect(here.isRevoked(bearer("elsewhere"))).toBe(true);
    },
  );

  async function createRevocationElsewhere(): Promise<void> {
    const before = broken;
    broken = "no";
    const there = await started();
    await there.revoke(token("elsewhere"));
    there.stop();
    broken = before;
  }

  it("G10: when it is fresh again it knows what was revoked meanwhile", async () => {
    const here = await started();
    broken = "reads";
    await settled(10_000);
    await createRevocationElsewhere();
    const known: boolean[] = [];
    here.onFresh(() => known.push(here.isRevoked(bearer("elsewhere"))));
    broken = "no";
    await settled(1_000);
    expect(known).toEqual([true]);
  });

  it("a revocation whose reply is lost is stored once", async () => {
    const here = await started();
    broken = "replies";
    const revoked = here.revoke(token("t1"));
    await settled();
    broken = "no";
    await settled(2_000);
    await revoked;
    expect(await stored()).toBe(1);
    await here.revoke(token("t2"));
    expect(await stored()).toBe(2);
  });

  it("a revocation that cannot be stored is told so, and does not bar the next", async () => {
    const here = await started();
    broken = "appends";
    const revoked = expect(here.revoke(token("t1"))).rejects.toMatchObject({ code: "storage-unavailable" });
    await settled(10_000);
    await revoked;
    expect(here.isRevoked(bearer("t1"))).toBe(false);
    broken = "no";
    await here.revoke(token("t2"));
    expect(await stored()).toBe(1);
  });

  it("another revocation after one whose end is unknown is stored, whatever became of the first", async () => {
    const here = await started();
    broken = "replies";
    const lost = expect(here.revoke(token("t1"))).rejects.toMatchObject({ code: "storage-unavailable" });
    await settled(10_000);
    await lost;
    broken = "no";
    await here.revoke(token("t2"));
    await settled(1_000);
    expect(here.isRevoked(bearer("t2"))).toBe(true);
    expect(here.isRevoked(bearer("t1"))).toBe(true);
    expect(await stored()).toBe(2);
  });

  it("a writer whose producer the log has forgotten goes on with another", async () => {
    log = createMemoryLog({ bounds: { marksAge: 60_000 } });
    const here = await started();
    await here.revoke(token("t1"));
    await here.revoke(token("t2"));
    await settled(61_000);
    expect(await log.forgetProducers(Date.now())).toBe(1);
    await here.revoke(token("t3"));
    expect(await stored()).toBe(3);
  });

  it("G10: a restored backup is read from its beginning, and what was known stays known", async () => {
    const here = await started();
    await here.revoke(token("t1"));
    await settled(1_000);
    await log.remove(REVOCATION_CHANNEL);
    await createRevocationElsewhere();
    await settled(1_000);
    expect(here.isRevoked(bearer("elsewhere"))).toBe(true);
    expect(here.isRevoked(bearer("t1"))).toBe(true);
    expect(here.fresh()).toBe(true);
  });

  it("a history trimmed at its front is read from where it begins", async () => {
    const here = await started();
    for (const id of ["t1", "t2", "t3"]) await here.revoke(token(id));
    await log.trim(REVOCATION_CHANNEL, { count: 1 });
    const late = await started();
    expect(late.isRevoked(bearer("t3"))).toBe(true);
    expect(late.isRevoked(bearer("t1"))).toBe(false);
  });

  it("G11: what no living token can be refused by is forgotten and trimmed", async () => {
    const here = await started({ lifetime: HOUR });
    await here.revoke(token("t1"));
    await settled(3 * HOUR);
    await here.revoke({ kind: "tenant", tenant: "acme", before: Date.now() });
    await settled(HOUR);
    expect(here.isRevoked(bearer("t1"))).toBe(false);
    expect(here.isRevoked({ ...bearer("t2"), issued: 0 })).toBe(true);
    expect((await log.heads([REVOCATION_CHANNEL]))[0]).toMatchObject({ first: 2, offset: 2 });
  });

  it("G10: a wall clock that jumps ahead makes nothing be forgotten", async () => {
    let jump = 0;
    const jumping = { ...runtime, now: () => Date.now() + jump };
    const here = createRevocationFeed({ log, runtime: jumping });
    feeds.push(here);
    await here.start();
    await here.revoke({ kind: "user", tenant: "acme", user: "ada", before: Date.now() });
    const old = bearer("t1");
    jump = 10_000 * HOUR;
    await settled(HOUR);
    jump = 0;
    expect(here.isRevoked(old)).toBe(true);
    expect((await log.heads([REVOCATION_CHANNEL]))[0]).toMatchObject({ first: 1 });
  });

  it("an event that cannot be read is passed over and logged", async () => {
    const here = await started();
    const events = ['{"kind":"later"}', '"x"'].map((data) => ({
      type: "revocation",
      version: 1,
      data,
      author: undefined,
      trace: undefined,
    }));
    const producer = { id: "lq000000-aaaaaaaaaaaaaaaaaaaaaa", user: "x", seq: 1, digest: "d" };
    await log.append([{ channel: REVOCATION_CHANNEL, producer, events, now: 1, birth: "b" } satisfies Append]);
    await here.revoke(token("t1"));
    await log.redact(REVOCATION_CHANNEL, 1);
    await settled(1_000);
    const late = await started();
    expect(late.isRevoked(bearer("t1"))).toBe(true);
    expect(late.fresh()).toBe(true);
    expect(error).toHaveBeenCalled();
  });

  it("what is no revocation is not taken", async () => {
    const here = await started();
    for (const bad of [
      { kind: "user", tenant: "acme", user: "ada", before: Date.now() + 60_000 },
      { kind: "tenant", tenant: "ACME", before: 1 },
      { kind: "token", id: "", until: 1 },
    ] satisfies Revocation[]) {
      await expect(here.revoke(bad)).rejects.toMatchObject({ code: "bad-message" });
    }
    expect(await stored()).toBe(0);
  });

  it("a token's revocation is not kept for longer than a token can live", async () => {
    const here = await started({ lifetime: HOUR });
    await here.revoke({ kind: "token", id: "t1", until: Number.MAX_SAFE_INTEGER });
    await settled(3 * HOUR);
    expect(here.isRevoked(bearer("t1"))).toBe(false);
  });

  it("G11: only so many revocations wait to be stored", async () => {
    const here = await started();
    broken = "appends";
    const waiting = Array.from({ length: 256 }, (_, n) =>
      here.revoke(token(`t${n}`)).catch((error: TandemError) => error.code),
    );
    await expect(here.revoke(token("more"))).rejects.toMatchObject({ code: "overloaded" });
    here.stop();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(["shutting-down"]));
  });

  it("a stop ends everything: no timer, no look, no revocation", async () => {
    const here = await started();
    const read = vi.spyOn(log, "read");
    here.stop();
    expect(here.fresh()).toBe(false);
    await settled(60_000);
    expect(read).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
    await expect(here.revoke(token("t1"))).rejects.toMatchObject({ code: "shutting-down" });
  });
});
