import { describe, expect, it } from "vitest";
import type { Log } from "../log.ts";
import { NOW } from "./attempt.contract.ts";

const ADA = { tenant: "acme", user: "ada" };
const BOB = { tenant: "acme", user: "bob / it's ü" };

/** Who follows what. */
export function followingContract(make: () => Promise<Log>): void {
  describe("following", () => {
    it("keeps the channels of a user, each once, in the order in which they were added", async () => {
      const log = await make();
      expect(await log.following(ADA)).toEqual({ version: 0, channels: [] });
      expect(await log.follow(ADA, "room:2", 9, NOW)).toBe(true);
      expect(await log.follow(ADA, "room:1", 9, NOW + 1)).toBe(true);
      expect(await log.follow(ADA, "room:3", 9, NOW)).toBe(true);
      expect(await log.follow(BOB, "room:9", 9, NOW)).toBe(true);
      expect(await log.following(ADA)).toEqual({ version: 3, channels: ["room:2", "room:3", "room:1"] });
      expect(await log.following(BOB)).toEqual({ version: 4, channels: ["room:9"] });
    });

    it("changes nothing where nothing is new", async () => {
      const log = await make();
      await log.follow(ADA, "room:1", 1, NOW);
      expect(await log.follow(ADA, "room:1", 1, NOW + 5)).toBe(true);
      await log.unfollow(ADA, "room:2");
      await log.unfollow(BOB, "room:1");
      expect(await log.following(ADA)).toEqual({ version: 1, channels: ["room:1"] });
      expect(await log.followingChanges(0, 9)).toEqual({ newest: 1, changes: [{ ...ADA, version: 1 }] });
    });

    it("takes no more than may be, and room that was made again", async () => {
      const log = await make();
      const both = ["room:1", "room:2", "room:3"].map((channel) => log.follow(ADA, channel, 2, NOW));
      expect(await Promise.all(both)).toEqual([true, true, false]);
      await log.unfollow(ADA, "room:1");
      expect(await log.follow(ADA, "room:3", 2, NOW)).toBe(true);
      expect((await log.following(ADA)).channels).toEqual(["room:2", "room:3"]);
    });

    it("G10: keeps tenants and users apart, whatever they are called", async () => {
      const log = await make();
      await log.follow(ADA, "room:1", 9, NOW);
      await log.follow({ tenant: "other", user: "ada" }, "room:2", 9, NOW);
      await log.follow({ tenant: "acme", user: "ADA" }, "room:3", 9, NOW);
      await log.unfollow({ tenant: "other", user: "ada" }, "room:1");
      expect((await log.following(ADA)).channels).toEqual(["room:1"]);
      expect((await log.following({ tenant: "other", user: "ada" })).channels).toEqual(["room:2"]);
    });

    it("tells whose lists have changed since a version, each user once, in pages", async () => {
      const log = await make();
      expect(await log.followingChanges(0, 9)).toEqual({ newest: 0, changes: [] });
      const users = ["u1", "u2", "u3"].map((user) => ({ tenant: "acme", user }));
      for (const user of users) await log.follow(user, "room:1", 9, NOW);
      await log.unfollow({ tenant: "acme", user: "u1" }, "room:1");
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
