import type { AccessRequest, Right } from "@tandem/app";
import { channel, defineApp, RIGHTS } from "@tandem/app";
import type { Logger, Runtime } from "@tandem/runtime";
import { systemRuntime } from "@tandem/runtime";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AccessRules } from "./access-rules.ts";
import type { Identity } from "./authenticator.ts";
import { sha256 } from "./jwt.ts";
import { PersonalChannels } from "./personal-channels.ts";
import { Rights } from "./rights.ts";

const identity: Identity = {
  tenant: "acme",
  user: "ada",
  name: "Ada",
  guest: false,
  grants: { "room:*": ["read", "publish"], "desk:1": ["admin"], "constructor:*": ["admin"], "__proto__:*": ["admin"] },
  expires: undefined,
  issued: 0,
  token: "t1",
};

describe("rights", () => {
  const access = vi.fn<(request: AccessRequest) => readonly Right[] | Promise<readonly Right[]>>();
  const warn = vi.fn<Logger["warn"]>();
  let runtime: Runtime;

  const app = defineApp({
    channels: {
      room: channel({ events: {} }),
      desk: channel({ events: {} }),
      ruled: channel({ events: {}, access: (request) => access(request) }),
    },
  });
  const rightsOf = (who: Identity = identity, channels?: number) =>
    new Rights({
      rules: new AccessRules({ app, personal: new PersonalChannels(app, sha256), runtime }),
      identity: who,
      runtime,
      channels,
    });

  beforeEach(() => {
    vi.useFakeTimers();
    access.mockReset();
    warn.mockReset();
    runtime = systemRuntime({ debug() {}, info() {}, warn, error() {} });
  });
  afterEach(() => vi.useRealTimers());

  it("G10: are those of the token, at once, where the type has no access function of its own", () => {
    const rights = rightsOf();
    expect(rights.can("room:1", "read")).toBe(true);
    expect(rights.can("room:1", "signal")).toBe(false);
    expect(rights.on("desk:1")).toEqual(RIGHTS);
    expect(rights.on("desk:2")).toEqual([]);
  });

  it("G10: are none on undeclared types, on names of inherited things and on names that no channel has", () => {
    const all = rightsOf({ ...identity, grants: { "*": ["admin"] } });
    for (const name of [
      "other:1",
      "constructor:1",
      "__proto__:1",
      "tostring:1",
      "hasOwnProperty:1",
      "Room:1",
      "room:%31",
      "rоom:1",
      "room:",
      "room",
      "",
      "room:1/../2",
      "acme/room:1",
      "$tandem/revocations:all",
      "room:*",
    ]) {
      expect(all.can(name, "read"), name).toBe(false);
    }
    expect(all.can("room:1", "read")).toBe(true);
    expect(warn).not.toHaveBeenCalled();
  });

  it("come from the access function, which sees the viewer and what was granted and nothing else of the token", () => {
    access.mockReturnValue(["read", "fly" as Right]);
    const rights = rightsOf({ ...identity, grants: { "ruled:*": ["signal"] } });
    expect(rights.on("ruled:7")).toEqual(["read"]);
    expect(access).toHaveBeenCalledExactlyOnceWith({
      viewer: { tenant: "acme", user: "ada", name: "Ada", guest: false },
      channel: "ruled:7",
      id: "7",
      granted: ["signal"],
    });
  });

  it("are asked for once per channel, until invalidated", () => {
    access.mockReturnValue(["admin"]);
    const rights = rightsOf();
    for (let i = 0; i < 3; i++) expect(rights.can("ruled:1", "write")).toBe(true);
    expect(rights.can("ruled:2", "write")).toBe(true);
    expect(access).toHaveBeenCalledTimes(2);
    access.mockReturnValue([]);
    rights.invalidate("ruled:1");
    expect(rights.can("ruled:1", "write")).toBe(false);
    expect(rights.can("ruled:2", "write")).toBe(true);
    rights.invalidate();
    expect(rights.can("ruled:2", "write")).toBe(false);
  });

  it("come by a promise while they are found out, and at once from then on", async () => {
    const answer = Promise.withResolvers<readonly Right[]>();
    access.mockReturnValue(answer.promise);
    const rights = rightsOf();
    const asked = [rights.can("ruled:1", "read"), rights.can("ruled:1", "write")];
    expect(asked[0]).toBeInstanceOf(Promise);
    answer.resolve(["read"]);
    expect(await Promise.all(asked)).toEqual([true, false]);
    expect(rights.can("ruled:1", "read")).toBe(true);
    expect(access).toHaveBeenCalledTimes(1);
  });

  it("G10: an answer that was on its way while rights were invalidated does not count", async () => {
    const first = Promise.withResolvers<readonly Right[]>();
    access.mockReturnValueOnce(first.promise).mockReturnValue([]);
    const rights = rightsOf();
    const asked = rights.can("ruled:1", "read");
    rights.invalidate();
    first.resolve(["read"]);
    expect(await asked).toBe(false);
    expect(rights.can("ruled:1", "read")).toBe(false);
    expect(access).toHaveBeenCalledTimes(2);
  });

  it("are none when invalidations never end", async () => {
    const rights = rightsOf();
    access.mockImplementation(async () => {
      rights.invalidate();
      return ["read"];
    });
    expect(await rights.can("ruled:1", "read")).toBe(false);
    expect(access.mock.calls.length).toBeLessThan(10);
  });

  it.each([
    [
      "throws",
      () =>
        access.mockImplementation(() => {
          throw new Error("no database");
        }),
    ],
    ["rejects", () => access.mockRejectedValue(new Error("no database"))],
    ["answers nonsense", () => access.mockReturnValue(5 as never)],
    ["answers nonsense later", () => access.mockResolvedValue(5 as never)],
  ])("an access function that %s gives no rights and one warning, and is asked again after 5 s", async (_, arrange) => {
    arrange();
    const rights = rightsOf();
    expect(await rights.can("ruled:1", "read")).toBe(false);
    expect(await rights.can("ruled:2", "read")).toBe(false);
    expect(warn).toHaveBeenCalledTimes(1);
    const calls = access.mock.calls.length;
    access.mockReset().mockReturnValue(["read"]);
    expect(calls).toBe(2);
    expect(rights.can("ruled:1", "read")).toBe(false);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(rights.can("ruled:1", "read")).toBe(true);
  });

  it("an access function that never answers counts as failed after 5 s", async () => {
    access.mockReturnValue(new Promise(() => {}));
    const asked = rightsOf().can("ruled:1", "read");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await asked).toBe(false);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it("G11: are remembered for a bounded number of channels; the one unused for longest goes", () => {
    access.mockReturnValue(["read"]);
    const rights = rightsOf(identity, 2);
    for (const name of ["ruled:1", "ruled:2", "ruled:1", "ruled:3", "ruled:1"]) rights.on(name);
    expect(access).toHaveBeenCalledTimes(3);
    rights.on("ruled:2");
    expect(access).toHaveBeenCalledTimes(4);
  });

  it("G10: are those of the fresh token after a refresh", () => {
    const rights = rightsOf();
    expect(rights.can("room:1", "publish")).toBe(true);
    rights.renew({ ...identity, grants: { "room:*": ["read"] } });
    expect(rights.can("room:1", "publish")).toBe(false);
  });
});
