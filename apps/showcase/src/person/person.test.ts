import { describe, expect, it } from "vitest";
import type { Keep } from "./person.ts";
import { Person, randomSecret } from "./person.ts";

function keepOf(values: Record<string, string> = {}): Keep & { values: Record<string, string> } {
  return {
    values,
    getItem: (key) => values[key] ?? null,
    setItem: (key, value) => {
      values[key] = value;
    },
  };
}

describe("Person", () => {
  it("is the same guest with the same name on the next visit", () => {
    const keep = keepOf();
    const first = new Person(keep, randomSecret);
    first.rename("  Ada ");
    const second = new Person(keep, randomSecret);
    expect(second.secret).toBe(first.secret);
    expect(second.name.get()).toBe("Ada");
  });

  it("replaces a secret that the server would refuse", () => {
    const keep = keepOf({ "tandem.guest": "short" });
    const person = new Person(keep, () => "s".repeat(32));
    expect(person.secret).toBe("s".repeat(32));
    expect(keep.values["tandem.guest"]).toBe(person.secret);
  });

  it("keeps its name when the new one is blank", () => {
    const person = new Person(keepOf({ "tandem.name": "Ada" }), randomSecret);
    person.rename("   ");
    expect(person.name.get()).toBe("Ada");
  });

  it("works where the browser forbids its storage", () => {
    const forbidden: Keep = {
      getItem() {
        throw new Error("denied");
      },
      setItem() {
        throw new Error("denied");
      },
    };
    const person = new Person(forbidden, randomSecret);
    person.rename("Ada");
    expect(person.name.get()).toBe("Ada");
    expect(person.secret).toMatch(/^[A-Za-z0-9_-]{32}$/);
  });
});
