import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ApplicationFolder, DEFINITION } from "./application.ts";

let application: ApplicationFolder;

beforeEach(() => {
  application = new ApplicationFolder();
});

afterEach(() => application.remove());

const TEXT = (text: string) => JSON.stringify({ text });

/** The objects that a command printed, one a line. */
const lines = (out: string) =>
  out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("tandem", () => {
  it("tells what it can do, with examples and exit codes", async () => {
    const { code, out } = await application.run(["--help"]);
    expect(code).toBe(0);
    for (const word of ["serve", "dev", "token", "publish", "tail", "inspect", "backup", "restore", "Exit codes:"])
      expect(out).toContain(word);
    for (const command of ["serve", "dev", "token", "publish", "tail", "inspect", "backup", "restore"]) {
      const help = await application.run([command, "--help"]);
      expect(help.code).toBe(0);
      expect(help.out).toMatch(/--json[\s\S]*Examples:\n {2}(\S+=\S+ )?tandem/);
    }
  });

  it.each([
    [["serv"], "Did you mean serve"],
    [["serve", "--prot", "1"], "Did you mean --port"],
    [["publish", "room:42"], "missing required argument"],
    [["token"], "--user"],
    [["token", "--user", "ada", "--lifetime", "soon"], "is no lifetime"],
    [["token", "--user", "ada", "--grant", "room:*=fly"], "is no grant"],
    [["publish", "room:42", "message", "{"], "The data is no JSON"],
    [["publish", "room42", "message", "{}"], "write type:id"],
    [["tail", "room:42", "--last", "-1"], "--last is a whole number"],
    [["tail", "room:42", "--last", "10001"], "--last is a whole number from 0 to 10000"],
    [["publish", "room:42", "message", "{}", "--event-version", "two"], "--event-version is a whole number"],
    [["tail", "room:42", "--url", "http://localhost"], "is no address of a server"],
    [["tail", "room:42", "--url", "ws://localhost/ws?token=abc"], "a token goes into TANDEM_TOKEN"],
    [["tail", "room:42", "--token-file", "none"], "The token file cannot be read"],
  ])("ends with 2 on a wrong command line: %j", async (args, sentence) => {
    const { code, err, out } = await application.run(args);
    expect(err).toContain(sentence);
    expect(err).not.toMatch(/\n {4}at /);
    expect([code, out]).toEqual([2, ""]);
  });

  it.each([
    [{ TANDEM_PORT: "abc" }, 'TANDEM_PORT is "abc": it must be a whole number'],
    [{ TANDEM_PROT: "1" }, "did you mean TANDEM_PORT?"],
    [{ NODE_ENV: "production" }, "Production needs to know who signs tokens"],
    [{ TANDEM_CONFIG: "none.ts" }, "There is no app definition"],
    [{ TANDEM_STATIC: "none" }, "There is no folder none to serve"],
    [{ TANDEM_HOST: "203.0.113.7" }, "is no address of this machine"],
  ])("does not start with %j, and says what to do", async (env, sentence) => {
    const { code, err } = await application.run(["serve"], env as unknown as Record<string, string>);
    expect(err).toContain(sentence);
    expect(err).not.toMatch(/\n {4}at /);
    expect(code).toBe(sentence.includes("address") ? 1 : 2);
  });

  it.each([
    ["serve", "a file", (folder: string) => writeFileSync(folder, ""), "other cannot be used"],
    ["token", "a file", (folder: string) => writeFileSync(folder, ""), "other cannot be used"],
    [
      "serve",
      "a lock that cannot be opened",
      (folder: string) => mkdirSync(join(folder, "tandem.db.lock"), { recursive: true }),
      "failed: unable to open database file",
    ],
    [
      "inspect",
      "no log",
      (folder: string) => {
        mkdirSync(folder);
        writeFileSync(join(folder, "tandem.db"), "no database".repeat(999));
      },
      "is damaged",
    ],
  ])("%s on a data folder that is %s says so in a sentence", async (command, _, make, sentence) => {
    make(join(application.folder, "other"));
    const { code, err, out } = await application.run([
      command,
      "--data",
      "other",
      ...(command === "token" ? ["--user", "ada"] : []),
    ]);
    expect(err).toContain(sentence);
    expect(err).not.toMatch(/\n {4}at /);
    expect([code, out]).toEqual([1, ""]);
  });

  it("makes no token that lives longer than its server takes", async () => {
    const env = { TANDEM_MAX_TOKEN_SECONDS: "600" };
    const { code, err, out } = await application.run(["token", "--user", "ada"], env);
    expect(err).toContain("its life is longer than 600 seconds");
    expect([code, out]).toEqual([2, ""]);
    expect((await application.run(["token", "--user", "ada", "--lifetime", "10m"], env)).code).toBe(0);
  });

  it.each([
    ["no definition", "export const a = 1;", "no app definition as its default export"],
    [
      "a mistake in it",
      "import { defineApp } from '@tandem/app';\nexport default defineApp({ channels: { 'A b': {} } });",
      "is not a channel type",
    ],
    ["a mistake in its form", "export default {", "cannot be loaded. SyntaxError"],
    ["a start that is none", `${DEFINITION}\nexport const start = 1;`, "exports a start that is no function"],
  ])("does not start on a file with %s", async (_, text, sentence) => {
    application.write("tandem.config.ts", text);
    const { code, err } = await application.run(["serve"]);
    expect(err).toContain(sentence);
    expect(code).toBe(2);
  });

  it("runs the definition's own start in the server, and does not start where that fails", async () => {
    application.write(
      "tandem.config.ts",
      `${DEFINITION}\nexport const start = (application) => application.publish("room:42", "message", { text: "begun" });`,
    );
    await application.serve();
    const tailed = await application.run(["tail", "room:42", "--last", "1", "--count", "1", "--json"]);
    expect(lines(tailed.out)).toMatchObject([{ offset: 1, data: { text: "begun" } }]);
    const other = new ApplicationFolder();
    try {
      other.write("tandem.config.ts", `${DEFINITION}\nexport const start = () => { throw new Error("no desk"); };`);
      const { code, err } = await other.run(["serve"]);
      expect(err).toContain("The application's own start failed. no desk");
      expect(code).toBe(1);
    } finally {
      await other.remove();
    }
  });

  it("prints errors as JSON where that is asked for", async () => {
    const { code, err } = await application.run(["serve", "--json"], { TANDEM_PORT: "abc" });
    expect(code).toBe(2);
    expect(JSON.parse(err)).toEqual({
      error: { code: "configuration", message: expect.stringContaining("TANDEM_PORT") },
    });
  });

  it("checks configuration and definition without a start", async () => {
    const { code, out } = await application.run(["serve", "--check", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      files: expect.arrayContaining([expect.stringContaining("tandem.config.ts")]),
    });
    expect(existsSync(join(application.folder, "data"))).toBe(false);
  });
});

describe("a running server", () => {
  it("takes what is published, shows it to who tails, and to who inspects", async () => {
    await application.serve();
    const tail = application.start(["tail", "room:42", "--count", "2", "--json"]);
    const first = await application.run(["publish", "room:42", "message", TEXT("one"), "--json"]);
    expect(first).toMatchObject({ code: 0 });
    expect(JSON.parse(first.out)).toEqual({
      channel: "room:42",
      position: { epoch: expect.any(String), offset: 1, tag: expect.any(String) },
    });
    expect((await application.run(["publish", "room:42", "message", "-"], {}, TEXT("two"))).out).toBe("room:42 2\n");
    const tailed = await tail.ended;
    expect(tailed.code).toBe(0);
    expect(lines(tailed.out)).toMatchObject([
      { channel: "room:42", offset: 1, author: "ada", type: "message", data: { text: "one" } },
      { offset: 2, data: { text: "two" } },
    ]);
    expect((await application.run(["tail", "room:42", "--last", "1", "--count", "1"])).out).toMatch(
      /^2 {2}\S+ {2}ada {2}message {2}\{"text":"two"\}\n$/,
    );

    const all = await application.run(["inspect", "--json"]);
    expect(JSON.parse(all.out).channels).toContainEqual(
      expect.objectContaining({ channel: "default/room:42", offset: 2, count: 2 }),
    );
    expect((await application.run(["inspect"])).out).toMatch(/default\/room:42 +2 +1 +2/);
    expect(JSON.parse((await application.run(["inspect", "room:42", "--json"])).out)).toMatchObject({
      offset: 2,
      first: 1,
      bytes: 28,
    });
    expect(JSON.parse((await application.run(["inspect", "room:42", "2", "--json"])).out)).toMatchObject({
      offset: 2,
      type: "message",
      author: "ada",
      data: { text: "two" },
    });
    expect((await application.run(["inspect", "room:42", "2"])).out).toContain('"text": "two"');
  });

  it("refuses with a sentence and a code: 1 what it will not store, 3 whom it does not let in", async () => {
    await application.serve();
    const wrong = await application.run(["publish", "room:42", "message", '{"text":7}', "--json"]);
    expect([wrong.code, JSON.parse(wrong.err).error.code]).toEqual([1, "invalid-data"]);
    const undeclared = await application.run(["publish", "room:42", "shout", "{}", "--json"]);
    expect([undeclared.code, JSON.parse(undeclared.err).error.code]).toEqual([1, "invalid-event"]);
    const guest = await application.run([
      "tail",
      "room:42",
      "--token-file",
      application.write("empty-token", "not.a.token"),
      "--json",
    ]);
    expect([guest.code, JSON.parse(guest.err).error.code]).toEqual([3, "token-invalid"]);
    const reader = (await application.run(["token", "--user", "bob", "--grant", "room:1=read"])).out.trim();
    const foreign = await application.run(["tail", "room:2", "--json"], { TANDEM_TOKEN: reader });
    expect([foreign.code, JSON.parse(foreign.err).error.code]).toEqual([3, "forbidden"]);
    const readOnly = await application.run(["publish", "room:1", "message", TEXT("no"), "--json"], {
      TANDEM_TOKEN: reader,
    });
    expect([readOnly.code, JSON.parse(readOnly.err).error.code]).toEqual([1, "forbidden"]);
  });

  it("is told to be away with 3", async () => {
    const args = ["publish", "room:42", "message", TEXT("x"), "--url", "ws://127.0.0.1:1/ws", "--timeout", "0.5"];
    const { code, err } = await application.run(args);
    expect([code, err]).toEqual([3, "No server answered at ws://127.0.0.1:1/ws.\n"]);
  });

  it("keeps its secret for itself, and its tokens over a restart", async () => {
    const server = await application.serve();
    expect(statSync(join(application.folder, "data", "development-secret")).mode & 0o077).toBe(0);
    server.child.kill("SIGTERM");
    await server.ended;
    await application.serve();
    expect((await application.run(["publish", "room:1", "message", TEXT("still let in")])).code).toBe(0);
  });

  it("G1: loses nothing that it acknowledged when it is killed, and is what it was when it is back", async () => {
    const server = await application.serve();
    await application.run(["publish", "room:42", "message", TEXT("before")]);
    const tail = application.start(["tail", "room:42", "--count", "2", "--json"]);
    await tail.said(/before/);
    server.child.kill("SIGKILL");
    expect((await server.ended).signal).toBe("SIGKILL");
    await application.serve();
    expect(
      JSON.parse((await application.run(["publish", "room:42", "message", TEXT("after"), "--json"])).out).position
        .offset,
    ).toBe(2);
    // The client that was connected comes back by itself, and shows each event once.
    expect(lines((await tail.ended).out).map((event) => event.data.text)).toEqual(["before", "after"]);
  });

  it("drains on SIGTERM: says when to come back, and ends with 0", async () => {
    const server = await application.serve();
    const tail = application.start(["tail", "room:42", "--last", "0", "--count", "1"]);
    await application.run(["publish", "room:1", "message", TEXT("so that the tail is there")]);
    server.child.kill("SIGTERM");
    const { code, err } = await server.ended;
    expect(code).toBe(0);
    expect(err).toMatch(/stopping[\s\S]*stopped/);
    tail.child.kill("SIGINT");
    expect((await tail.ended).code).toBe(0);
  });

  it("leaves a second server of the same data out, and of the same port", async () => {
    await application.serve();
    const second = await application.run(["serve"], { TANDEM_PORT: "0" });
    expect(second.code).toBe(1);
    expect(second.err).toContain("is in use by another server");
    const other = await application.run(["serve", "--data", "other"]);
    expect(other.code).toBe(1);
    expect(other.err).toContain("is in use: stop what listens there");
  });

  it("runs in production with its secret from a file, and prints it nowhere", async () => {
    const secret = "s3cret-".repeat(8);
    Object.assign(application.env, {
      NODE_ENV: "production",
      TANDEM_SECRET_FILE: application.write("secret", secret),
      TANDEM_LOG_LEVEL: "debug",
    });
    const server = await application.serve("--host", "127.0.0.1");
    expect((await application.run(["publish", "room:1", "message", TEXT("hello")])).code).toBe(0);
    server.child.kill("SIGTERM");
    const { code, err, out } = await server.ended;
    expect(code).toBe(0);
    for (const line of err.trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("level");
    for (const word of [secret, application.env.TANDEM_TOKEN ?? ""]) expect(err + out).not.toContain(word);
  });
});

describe("backup and restore", () => {
  it("copies a running server's log, and puts it back: what came after is gone, and clients are told", async () => {
    const server = await application.serve();
    await application.run(["publish", "room:42", "message", TEXT("kept")]);
    const backup = await application.run(["backup", "backup.db", "--json"]);
    expect(backup).toMatchObject({ code: 0 });
    await application.run(["publish", "room:42", "message", TEXT("lost by the restore")]);

    const early = await application.run(["restore", "backup.db"]);
    expect(early.code).toBe(1);
    expect(early.err).toContain("in use");

    const tail = application.start(["tail", "room:42", "--count", "3"]);
    await tail.said(/lost by the restore/);
    server.child.kill("SIGTERM");
    await server.ended;
    expect(await application.run(["restore", "backup.db"])).toMatchObject({ code: 0 });
    await application.serve();
    expect(JSON.parse((await application.run(["inspect", "room:42", "--json"])).out)).toMatchObject({ offset: 1 });
    await tail.said(/The history does not go on/);
    await application.run(["publish", "room:42", "message", TEXT("anew")]);
    await tail.said(/anew/);
  });

  it("says so when there is nothing to copy or to restore", async () => {
    expect(await application.run(["backup", "backup.db"])).toMatchObject({ code: 1 });
    expect(await application.run(["restore", "none.db"])).toMatchObject({ code: 1 });
  });
});

describe("tandem dev", () => {
  const SHOUTING = DEFINITION.replace("message:", "shout: v.object({ text: v.string() }), message:");

  it("takes up a changed definition, for live connections too, and stays on one with a mistake", async () => {
    const dev = application.start(["dev", "--json"]);
    const [, line = ""] = await dev.said(/^(\{.*\})\n/m);
    const { socket } = JSON.parse(line);
    Object.assign(application.env, { TANDEM_URL: socket });
    application.env.TANDEM_TOKEN = (await application.run(["token", "--user", "ada"])).out.trim();
    const tail = application.start(["tail", "room:42", "--count", "2", "--json"]);
    await application.run(["publish", "room:42", "message", TEXT("one")]);
    expect((await application.run(["publish", "room:42", "shout", TEXT("no")])).code).toBe(1);
    application.write("tandem.config.ts", `${DEFINITION}\nthrow new Error("a mistake");`);
    await dev.said(/a mistake/);
    expect((await application.run(["tail", "room:42", "--count", "1"])).code).toBe(0);
    application.write("tandem.config.ts", SHOUTING);
    await expect
      .poll(async () => (await application.run(["publish", "room:42", "shout", TEXT("two"), "--timeout", "5"])).code, {
        timeout: 60_000,
      })
      .toBe(0);
    expect(lines((await tail.ended).out).map((event) => event.data.text)).toEqual(["one", "two"]);
    dev.child.kill("SIGTERM");
    expect((await dev.ended).code).toBe(0);
  }, 90_000);
});
