import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ErrorCode } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { systemRuntime } from "@tandem/runtime";
import type { JWK } from "jose";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Authenticator } from "./authenticator.ts";
import { jwksUrl } from "./jwks-source.ts";
import { createJwtAuthenticator } from "./jwt.ts";

interface Pair {
  readonly jwk: JWK;
  token(kid?: string): Promise<string>;
}

async function pair(kid: string): Promise<Pair> {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const now = Math.floor(Date.now() / 1000);
  return {
    jwk: { ...(await exportJWK(publicKey)), kid },
    token: (named = kid) =>
      new SignJWT({ sub: "ada", exp: now + 600 }).setProtectedHeader({ alg: "ES256", kid: named }).sign(privateKey),
  };
}

async function outcome(authenticator: Authenticator, token: string): Promise<ErrorCode | "accepted"> {
  try {
    await authenticator.authenticate({ token });
    return "accepted";
  } catch (error) {
    if (error instanceof TandemError) return error.code;
    throw error;
  }
}

let old: Pair;
let young: Pair;
/** Milliseconds by which time has been moved on. */
let passed = 0;
const warn = vi.fn();
const real = systemRuntime({ debug() {}, info() {}, warn, error() {} });
const runtime: Runtime = { ...real, elapsed: () => real.elapsed() + passed };

beforeAll(async () => {
  [old, young] = await Promise.all([pair("old"), pair("young")]);
});
beforeEach(() => {
  passed = 0;
  warn.mockReset();
});

describe("a key set at an address", () => {
  let fetches = 0;
  let answer: (response: ServerResponse) => void;
  const server = createServer((request, response) => {
    // Where a redirect leads: keys as they should be, at a place that was not configured.
    if (request.url === "/elsewhere") return serve(old.jwk)(response);
    fetches++;
    answer(response);
  });
  let url: string;
  let authenticator: Authenticator;

  const serve =
    (...keys: JWK[]) =>
    (response: ServerResponse) =>
      void response.end(JSON.stringify({ keys }));
  const fail = (response: ServerResponse) => void response.writeHead(500).end();

  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    fetches = 0;
    answer = serve(old.jwk);
    authenticator = createJwtAuthenticator({ runtime, jwks: { url } });
  });

  it("is fetched once for all who come at once", async () => {
    const token = await old.token();
    expect(fetches).toBe(0);
    const all = await Promise.all(Array.from({ length: 50 }, () => outcome(authenticator, token)));
    expect(new Set(all)).toEqual(new Set(["accepted"]));
    expect(fetches).toBe(1);
  });

  it("G12: 10,000 tokens with unknown key ids cause one fetch", async () => {
    await outcome(authenticator, await old.token());
    passed += 30_000;
    fetches = 0;
    const [header, ...rest] = (await old.token("kid-00000")).split(".");
    const fields = Buffer.from(header ?? "", "base64url").toString();
    const told = new Set<string>();
    for (let batch = 0; batch < 100; batch++) {
      const tokens = Array.from({ length: 100 }, (_, n) => {
        const kid = `kid-${String(batch * 100 + n).padStart(5, "0")}`;
        return [Buffer.from(fields.replace("kid-00000", kid)).toString("base64url"), ...rest].join(".");
      });
      for (const code of await Promise.all(tokens.map((token) => outcome(authenticator, token)))) told.add(code);
    }
    expect(fetches).toBe(1);
    expect([...told].sort()).toEqual(["keys-unavailable", "token-invalid"]);
    expect(await outcome(authenticator, await old.token())).toBe("accepted");
    expect(warn).not.toHaveBeenCalled();
  });

  it("an unknown key is certain once the keys were looked up for it, and until then to be tried again", async () => {
    expect(await outcome(authenticator, await young.token())).toBe("token-invalid");
    const error = await authenticator.authenticate({ token: await young.token() }).catch((error: TandemError) => error);
    expect(error).toMatchObject({ code: "keys-unavailable", retryable: true });
    expect((error as TandemError).retryAfter).toBeLessThanOrEqual(30_000);
    passed += 30_000;
    expect(await outcome(authenticator, await young.token())).toBe("token-invalid");
    expect(fetches).toBe(2);
  });

  it("rotation: a new key is found after the cool-down, and a withdrawn one fails", async () => {
    expect(await outcome(authenticator, await old.token())).toBe("accepted");
    answer = serve(young.jwk);
    expect(await outcome(authenticator, await young.token())).toBe("keys-unavailable");
    passed += 30_000;
    expect(await outcome(authenticator, await young.token())).toBe("accepted");
    expect(await outcome(authenticator, await old.token())).toBe("keys-unavailable");
    passed += 30_000;
    expect(await outcome(authenticator, await old.token())).toBe("token-invalid");
  });

  it("a withdrawn key fails after ten minutes though nobody brings a new one", async () => {
    expect(await outcome(authenticator, await old.token())).toBe("accepted");
    answer = serve(young.jwk);
    expect(await outcome(authenticator, await old.token())).toBe("accepted");
    passed += 600_000;
    expect(await outcome(authenticator, await old.token())).toBe("token-invalid");
  });

  it("while it cannot be fetched, known keys do for an hour and unknown ones are to be tried again", async () => {
    expect(await outcome(authenticator, await old.token())).toBe("accepted");
    answer = fail;
    passed += 600_000;
    fetches = 0;
    expect(await outcome(authenticator, await old.token())).toBe("accepted");
    expect(await outcome(authenticator, await young.token())).toBe("keys-unavailable");
    expect(fetches).toBe(1);
    passed += 3_000_000;
    expect(await outcome(authenticator, await old.token())).toBe("keys-unavailable");
    answer = serve(old.jwk);
    passed += 2_000;
    expect(await outcome(authenticator, await old.token())).toBe("accepted");
  });

  it.each([
    ["a failing issuer", (response: ServerResponse) => fail(response)],
    ["no JSON", (response: ServerResponse) => void response.end("<html>")],
    ["no key set", (response: ServerResponse) => void response.end("[]")],
    ["keys that are no objects", (response: ServerResponse) => void response.end('{"keys":[1]}')],
    [
      "too many keys",
      (response: ServerResponse) => void response.end(JSON.stringify({ keys: Array(65).fill({ kty: "EC" }) })),
    ],
    ["a redirect", (response: ServerResponse) => void response.writeHead(302, { location: "/elsewhere" }).end()],
    ["a cut connection", (response: ServerResponse) => void response.destroy()],
  ])("%s at the start is to be tried again, and asked once in two seconds", async (_, broken) => {
    answer = broken;
    const token = await old.token();
    const all = await Promise.all(Array.from({ length: 20 }, () => outcome(authenticator, token)));
    expect(new Set([...all, await outcome(authenticator, token)])).toEqual(new Set(["keys-unavailable"]));
    expect(fetches).toBe(1);
    expect(warn).toHaveBeenCalledTimes(1);
    answer = serve(old.jwk);
    passed += 2_000;
    expect(await outcome(authenticator, token)).toBe("accepted");
  });

  it("G12: an endless answer is read to its bound only", async () => {
    let sent = 0;
    answer = (response) => {
      const block = Buffer.alloc(65_536, " ");
      const more = () => {
        while (!response.destroyed && sent < 64_000_000) {
          sent += block.length;
          if (!response.write(block)) return void response.once("drain", more);
        }
      };
      more();
    };
    expect(await outcome(authenticator, await old.token())).toBe("keys-unavailable");
    expect(sent).toBeLessThan(32_000_000);
  });

  it("G12: an issuer that never answers is given up", async () => {
    answer = () => {};
    const impatient: Runtime = { ...runtime, timer: (ms, action) => runtime.timer(ms / 100, action) };
    const waiting = createJwtAuthenticator({ runtime: impatient, jwks: { url } });
    expect(await outcome(waiting, await old.token())).toBe("keys-unavailable");
  });

  it("only https, or http on this machine, is an address", () => {
    for (const good of [
      "https://login.example/keys",
      "http://localhost:1/keys",
      "http://[::1]/keys",
      "http://127.9.9.9/",
    ]) {
      expect(() => jwksUrl(good, runtime)).not.toThrow();
    }
    for (const bad of [
      "http://login.example/keys",
      "http://127.0.0.1.evil.example/",
      "http://localhost.evil.example/",
      "http://10.0.0.1/",
      "https://user:password@login.example/keys",
      "file:///etc/passwd",
      "data:application/json,{}",
      "keys.json",
    ]) {
      expect(() => jwksUrl(bad, runtime), bad).toThrow(RangeError);
    }
  });
});

describe("a key set in a file", () => {
  let folder: string;
  let file: string;
  let authenticator: Authenticator;

  const write = async (text: string) => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
    passed += 1_000;
  };
  const keep = (...keys: JWK[]) => write(JSON.stringify({ keys }));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tandem-keys-"));
    file = join(folder, "keys.json");
    authenticator = createJwtAuthenticator({ runtime, jwks: { file } });
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is read again when it changed", async () => {
    await keep(old.jwk);
    expect(await outcome(authenticator, await old.token())).toBe("accepted");
    passed += 1_000;
    expect(await outcome(authenticator, await young.token())).toBe("token-invalid");
    await keep(old.jwk, young.jwk);
    expect(await outcome(authenticator, await young.token())).toBe("accepted");
    await keep(young.jwk);
    expect(await outcome(authenticator, await old.token())).toBe("token-invalid");
  });

  it("half a file keeps the keys that are known", async () => {
    await keep(old.jwk);
    expect(await outcome(authenticator, await old.token())).toBe("accepted");
    await write('{"keys":[');
    expect(await outcome(authenticator, await old.token())).toBe("accepted");
    expect(warn).toHaveBeenCalled();
    await keep(young.jwk);
    expect(await outcome(authenticator, await young.token())).toBe("accepted");
  });

  it("that is not there, or too long, is to be tried again", async () => {
    expect(await outcome(authenticator, await old.token())).toBe("keys-unavailable");
    await write(" ".repeat(262_145));
    expect(await outcome(authenticator, await old.token())).toBe("keys-unavailable");
    await keep(old.jwk);
    expect(await outcome(authenticator, await old.token())).toBe("accepted");
  });
});
