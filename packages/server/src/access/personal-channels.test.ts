import { channel, defineApp } from "@tandem/app";
import { isChannelName } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import { sha256 } from "./jwt.ts";
import { PersonalChannels } from "./personal-channels.ts";

const type = channel({ events: {} });
const all = defineApp({ channels: { user: type, "user-urgent": type, tenant: type, room: type } });
const personal = new PersonalChannels(all, sha256);

describe("the channels of a user", () => {
  it("are those whose types the application declares", () => {
    expect(personal.of("ada")).toEqual(["user-urgent:ada", "user:ada", "tenant:all"]);
    const few = new PersonalChannels(defineApp({ channels: { user: type, room: type } }), sha256);
    expect(few.of("ada")).toEqual(["user:ada"]);
    expect([few.has("ada", "user:ada"), few.has("ada", "user-urgent:ada"), few.has("ada", "tenant:all")]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it.each([
    ["ada", "user:ada"],
    ["ada@example.org", "user:ada@example.org"],
    ["guest~AbC", "user:guest~7eAbC"],
    ["auth0|12", "user:auth0~7c12"],
    ["a:b/c *", "user:a~3ab~2fc~20~2a"],
    ["Łukasz 💡", "user:~c581ukasz~20~f09f92a1"],
    ["x".repeat(128), `user:${"x".repeat(128)}`],
    ["x".repeat(129), `user:~~${sha256("x".repeat(129))}`],
    ["ü".repeat(30), `user:~~${sha256("ü".repeat(30))}`],
  ])("%s has %s", (user, name) => {
    expect(personal.ofUser(user, false)).toBe(name);
    expect(isChannelName(personal.ofUser(user, true))).toBe(true);
  });

  it("G10: are nobody else's", () => {
    const users = [
      "ada",
      "Ada",
      "a~64a",
      "~7e",
      "~",
      "~~",
      "ada~",
      "x".repeat(129),
      personal.ofUser("x".repeat(129), false).slice(5),
    ];
    for (const user of users) {
      for (const other of users) expect(personal.has(other, personal.ofUser(user, true))).toBe(user === other);
    }
    expect(personal.has("ada", "tenant:ada")).toBe(false);
    expect(personal.has("all", "tenant:all")).toBe(true);
    expect(personal.has("ada", "room:ada")).toBe(false);
  });
});
