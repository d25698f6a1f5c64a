import type { Store } from "@tandem/runtime";
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

  it("listen to nobody any more once they are closed", () => {
    const listening = new Set<string>();
    const watched = <T>(name: string, value: T): Store<T> => ({
      get: () => value,
      subscribe: () => {
        listening.add(name);
        return () => listening.delete(name);
      },
    });
    const names = new Names({ people: watched("people", NOBODY), self: watched("self", undefined) });
    expect([...listening]).toEqual(["people", "self"]);
    names.close();
    expect([...listening]).toEqual([]);
  });

  it("are bounded: those that were learned first are forgotten", () => {
    const names = new Names({ people: new Cell(NOBODY), self: new Cell(undefined) });
    names.learn([["first", "First"]]);
    names.learn(Array.from({ length: 1_000 }, (_, index) => [`u${index}`, "One"] as const));
    expect([names.get()("first"), names.get()("u0")]).toEqual(["Somebody", "One"]);
  });
});
