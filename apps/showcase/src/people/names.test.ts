import { Cell } from "@tandem/runtime";
import { describe, expect, it } from "vitest";
import { Names } from "./names.ts";
import type { PeopleView } from "./people.ts";

const NOBODY: PeopleView = { people: [], count: 0, status: "live" };

function here(...users: string[]): PeopleView {
  const people = users.map((user) => ({ user, name: `${user}!`, status: "active" as const, devices: 1, self: false }));
  return { ...NOBODY, people };
}

describe("names", () => {
  it("are those of who is there, stay when they have left, and tell the reader apart", () => {
    const people = new Cell(NOBODY);
    const self = new Cell<string | undefined>(undefined);
    const names = new Names({ people, self });
    let changes = 0;
    names.subscribe(() => changes++);
    people.set(here("ada", "grace"));
    people.set(here("grace"));
    expect(changes).toBe(1);
    self.set("grace");
    const nameOf = names.get();
    expect([nameOf("ada"), nameOf("grace"), nameOf("alan"), nameOf(undefined)]).toEqual([
      "ada!",
      "You",
      "Somebody",
      "The room",
    ]);
  });

  it("are bounded: those that were learned first are forgotten", () => {
    const names = new Names({ people: new Cell(NOBODY), self: new Cell(undefined) });
    names.learn([["first", "First"]]);
    names.learn(Array.from({ length: 1_000 }, (_, index) => [`u${index}`, "One"] as const));
    expect([names.get()("first"), names.get()("u0")]).toEqual(["Somebody", "One"]);
  });
});
