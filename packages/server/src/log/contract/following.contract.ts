import { describe, expect, it } from "vitest";
import type { Follower } from "../following-log.ts";
import type { Log } from "../log.ts";
import { NOW } from "./attempt.contract.ts";

const ADA = { tenant: "acme", user: "ada" };
const BOB = { tenant: "acme", user: "bob / it's ü" };

/** Changes a list as it stands. */
async function follow(log: Log, follower: Follower, channel: string, most: number, now: number) {
  return log.follow(follower, channel, (await log.following(follower)).version, most, now);
}

async function unfollow(log: Log, follower: Follower, channel: string) {
  return log.unfollow(follower, channel, (await log.following(follower)).version);
}

/** Who follows what. */
export function followingContract(make: () => Promise<Log>): void {
  describe("following", () => {
    it("keeps the channels of a user, each once, in the order in which they were added", async () => {
      const log = await make();
      expect(await log.following(ADA)).toEqual({ version: 0, channels: [] });
      expect(await follow(log, ADA, "room:2", 9, NOW)).toEqual({ kind: "done", version: 1 });
      expect(await follow(log, ADA, "room:1", 9, NOW + 1)).toEqual({ kind: "done", version: 2 });
      expect(await follow(log, ADA, "room:3", 9, NOW)).toEqual({ kind: "done", version: 3 });
      expect(await follow(log, BOB, "room:9", 9, NOW)).toEqual({ kind: "done", version: 4 });
      expect(await log.following(ADA)).toEqual({ version: 3, channels: ["room:2", "room:3", "room:1"] });
      expect(await log.following(BOB)).toEqual({ version: 4, channels: ["room:9"] });
    });

    it("U3: raises the version where nothing is new, and changes nothing else", async () => {
      const log = await make();
      await follow(log, ADA, "room:1", 1, NOW);
      expect(await follow(log, ADA, "room:1", 1, NOW + 5)).toEqual({ kind: "done", version: 2 });
      expect(await unfollow(log, ADA, "room:2")).toEqual({ kind: "done", version: 3 });
      expect(await unfollow(log, BOB, "room:1")).toEqual({ kind: "done", version: 4 });
      expect(await log.following(ADA)).toEqual({ version: 3, channels: ["room:1"] });
      expect(await log.following(BOB)).toEqual({ version: 4, channels: [] });
      const changes = [
        { ...ADA, version: 3 },
        { ...BOB, version: 4 },
      ];
      expect(await log.followingChanges(0, 9)).toEqual({ newest: 4, changes });
    });

    it("U3: a change that comes late, on an older version, does nothing", async () => {
      const log = await make();
      expect(await log.follow(ADA, "room:1", 0, 9, NOW)).toEqual({ kind: "done", version: 1 });
      expect(await log.follow(ADA, "room:2", 0, 9, NOW)).toEqual({ kind: "outdated", version: 1 });
      expect(await log.unfollow(ADA, "room:1", 0)).toEqual({ kind: "outdated", version: 1 });
      expect(await log.follow(BOB, "room:1", 1, 9, NOW)).toEqual({ kind: "outdated", version: 0 });
      // What is so already is done, whatever has changed beside it.
      expect(await log.follow(ADA, "room:1", 0, 9, NOW)).toEqual({ kind: "done", version: 2 });
      expect(await log.unfollow(ADA, "room:1", 2)).toEqual({ kind: "done", version: 3 });
      expect(await log.follow(ADA, "room:1", 2, 9, NOW)).toEqual({ kind: "outdated", version: 3 });
      // It also stays so: what was given up before it comes too late.
      expect(await log.unfollow(ADA, "room:1", 1)).toEqual({ kind: "done", version: 4 });
      expect(await log.follow(ADA, "room:1", 3, 9, NOW)).toEqual({ kind: "outdated", version: 4 });
      expect(await log.following(ADA)).toEqual({ version: 4, channels: [] });
    });

    it("takes no more than may be, and room that was made again", async () => {
      const log = await make();
      const outcomes = [];
      for (const channel of ["room:1", "room:2", "room:3"])
        outcomes.push((await follow(log, ADA, channel, 2, NOW)).kind);
      expect(outcomes).toEqual(["done", "done", "full"]);
      await unfollow(log, ADA, "room:1");
      expect(await follow(log, ADA, "room:3", 2, NOW)).toMatchObject({ kind: "done" });
      expect((await log.following(ADA)).channels).toEqual(["room:2", "room:3"]);
    });

    it("G10: keeps tenants and users apart, whatever they are called", async () => {
      const log = await make();
      await follow(log, ADA, "room:1", 9, NOW);
      await follow(log, { tenant: "other", user: "ada" }, "room:2", 9, NOW);
      await follow(log, { tenant: "acme", user: "ADA" }, "room:3", 9, NOW);
      await unfollow(log, { tenant: "other", user: "ada" }, "room:1");
      expect((await log.following(ADA)).channels).toEqual(["room:1"]);
      expect((await log.following({ tenant: "other", user: "ada" })).channels).toEqual(["room:2"]);
    });

    it("tells whose lists have changed since a version, each user once, in pages", async () => {
      const log = await make();
      expect(await log.followingChanges(0, 9)).toEqual({ newest: 0, changes: [] });
      const users = ["u1", "u2", "u3"].map((user) => ({ tenant: "acme", user }));
      for (const user of users) await follow(log, user, "room:1", 9, NOW);
      await unfollow(log, { tenant: "acme", user: "u1" }, "room:1");
      const [u1, u2, u3] = users;
      const page = await log.followingChanges(0, 2);
      expect(page).toEqual({
        newest: 4,
        changes: [
          { ...u2, version: 2 },
          { ...u3, version: 3 },
        ],
      });
      expect(await log.followingChanges(3, 2)).toEqual({ newest: 4, changes: [{ ...u1, version: 4 }] });
      expect(await log.followingChanges(4, 2)).toEqual({ newest: 4, changes: [] });
      expect(await log.following({ tenant: "acme", user: "u1" })).toEqual({ version: 4, channels: [] });
    });
  });
}
