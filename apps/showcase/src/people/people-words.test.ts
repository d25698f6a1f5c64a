import { expect, it } from "vitest";
import { countWords, personWords, typingWords } from "./people-words.ts";

it("says who types, up to three by name", () => {
  expect(typingWords([])).toBe("");
  expect(typingWords(["Ada"])).toBe("Ada is typing…");
  expect(typingWords(["Ada", "Grace"])).toBe("Ada and Grace are typing…");
  expect(typingWords(["Ada", "Grace", "Alan"])).toBe("Ada, Grace and Alan are typing…");
  expect(typingWords(["Ada", "Grace", "Alan", "Radia"])).toBe("Ada, Grace and 2 others are typing…");
});

it("counts the reader among those who are here", () => {
  const words = [0, 1, 2].map((count) => countWords({ count, status: "live" }));
  expect(words).toEqual(["Only you", "Only you", "2 here"]);
  expect(countWords({ count: 2, status: "pending" })).toBe("2 were here");
});

it("says how somebody is there, and by how many devices where they are several", () => {
  const ada = { user: "a", name: "Ada", self: false, devices: 1, status: "idle" } as const;
  expect(personWords(ada)).toBe("Idle");
  expect(personWords({ ...ada, devices: 2 })).toBe("Idle, 2 devices");
});
