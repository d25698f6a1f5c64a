import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { SECRET, stage, token } from "./stage.fixture.ts";

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const now = () => Math.floor(Date.now() / 1_000);

/** A token signed by hand with whatever stands in it. */
function forge(header: object, claims: object = {}, key: string = SECRET): string {
  const all = { sub: "mallory", iat: now(), exp: now() + 600, grants: { "*": ["read", "publish"] }, ...claims };
  const signed = `${encode({ alg: "HS256", typ: "JWT", ...header })}.${encode(all)}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

describe("tokens at the door", () => {
  it.each([
    ["alg none", () => forge({ alg: "none" })],
    ["alg nOnE without a signature", () => forge({ alg: "nOnE" }).replace(/[^.]*$/, "")],
    ["RS256 signed as HS256", () => forge({ alg: "RS256" })],
    ["a kid that is a file", () => forge({ kid: "/dev/null" }, {}, "")],
    ["a jku", () => forge({ jku: "https://evil.test/keys" })],
    ["an x5u", () => forge({ x5u: "https://evil.test/cert" })],
    ["an embedded key", () => forge({ jwk: { kty: "oct", k: encode("evil") } }, {}, encode("evil"))],
    ["an unknown crit", () => forge({ crit: ["exp2"], exp2: 1 })],
    ["another audience", () => forge({}, { aud: "other" })],
    ["another issuer", () => forge({}, { iss: "https://evil.test" })],
    ["a tenant that cannot be", () => forge({}, { tenant: "../acme" })],
    ["no expiry", () => forge({}, { exp: undefined })],
    ["a far expiry", () => forge({}, { exp: now() + 40 * 86_400 })],
    ["a making 60 s ahead", () => forge({}, { iat: now() + 60 })],
    ["a beginning 60 s ahead", () => forge({}, { nbf: now() + 60 })],
    ["another secret", () => forge({}, {}, "another secret of thirty-two bytes")],
    ["a guest's name", () => forge({}, { sub: "guest~abc" })],
  ])("G10: with %s is answered token-invalid and 4401", async (_, make) => {
    const world = await stage(
      { audience: "tandem", issuer: "https://login.test", secret: SECRET },
      { audience: "tandem", issuer: "https://login.test" },
    );
    const client = await world.open();
    const said = make();
    client.say({ type: "hello", id: 1, token: said });
    expect(await client.closed()).toEqual({ code: 4401, reason: "token-invalid" });
    expect(client.everything).not.toContain(said.slice(-20));
  });

  it("G10: that ended over 30 s ago is answered token-expired and 4004: a fresh one is worth coming back with", async () => {
    const world = await stage();
    const client = await world.open();
    client.say({ type: "hello", id: 1, token: forge({}, { iat: now() - 700, exp: now() - 60 }) });
    expect(await client.closed()).toEqual({ code: 4004, reason: "token-expired" });
  });
});

describe("tokens on a connection that stands", () => {
  it("G10: a refresh into another user, another tenant or nobody changes nothing", async () => {
    const world = await stage();
    const client = await world.enter();
    client.say({ type: "refresh", id: 2, token: await token("control") });
    expect(await client.told(2)).toMatchObject({ code: "wrong-user" });
    client.say({ type: "refresh", id: 3, token: await token("mallory", { tenant: "other" }) });
    expect(await client.told(3)).toMatchObject({ code: "wrong-user" });
    client.say({ type: "refresh", id: 4, token: forge({ alg: "none" }) });
    expect(await client.told(4)).toMatchObject({ code: "token-invalid" });
    client.say({ type: "refresh", id: 5, token: await token("mallory") });
    expect(await client.told(5)).toMatchObject({ type: "welcome", user: "mallory", tenant: "default" });
  });

  it("G11: a flood of refreshes is looked at one at a time", async () => {
    const world = await stage();
    const client = await world.enter();
    const fresh = await token("mallory");
    client.say(...Array.from({ length: 200 }, (_, at) => ({ type: "refresh", id: at + 2, token: fresh })));
    await client.until(() => client.messages.length >= 201);
    const codes = client.messages.slice(1).map(({ type, code }) => code ?? type);
    expect(codes.filter((code) => code === "welcome")).toHaveLength(1);
    expect(codes.filter((code) => code === "request-in-use")).toHaveLength(199);
  });

  it("G10: a user who is revoked while connected is told needs-auth and given nothing any more", async () => {
    const world = await stage();
    const client = await world.enter();
    const told = await token("mallory", { now: Date.now() - 5_000 });
    client.say({ type: "subscribe", id: 2, channel: "room:1" });
    await client.told(2);
    await world.server.node.revoke({ kind: "user", tenant: "default", user: "mallory", before: Date.now() });
    await client.until(() => client.messages.some(({ code }) => code === "needs-auth"));
    const until = client.messages.length;
    await world.server.application().publish("room:1", "message", { text: "secret" });
    client.say({ type: "history", id: 3, channel: "room:1", limit: 5 }, { type: "refresh", id: 4, token: told });
    expect(await client.told(3)).toMatchObject({ code: "needs-auth" });
    expect(await client.told(4)).toMatchObject({ type: "error" });
    await world.control.served();
    expect(client.messages.slice(until).filter(({ type }) => type !== "error")).toEqual([]);
    expect(client.everything).not.toContain("secret");
  });

  it("G10: after a token's end no byte of a channel is handed over", async () => {
    const world = await stage();
    const client = await world.enter("mallory", { lifetime: 2_000 });
    client.say({ type: "subscribe", id: 2, channel: "room:1" });
    await client.told(2);
    await client.until(() => client.messages.some(({ code }) => code === "needs-auth"));
    await world.server.application().publish("room:1", "message", { text: "secret" });
    client.say({ type: "history", id: 3, channel: "room:1", limit: 5 });
    expect(await client.told(3)).toMatchObject({ code: "needs-auth" });
    expect(client.everything).not.toContain("secret");
  });
});
