import * as v from "valibot";
import { describe, expectTypeOf, it } from "vitest";
import type { CommandInput, CommandName, ReasonOf, StateOf } from "../model.ts";
import type { Table } from "../table.ts";
import type { RecordReason } from "./change.ts";
import type { Entry } from "./entry.ts";
import { records } from "./records.ts";
import { ordered } from "./select.ts";

const board = records({
  collections: {
    cards: {
      schema: v.object({ title: v.string(), votes: v.number(), done: v.optional(v.boolean(), false) }),
      policies: {
        title: "refuse",
        votes: (base, mine, theirs) => {
          expectTypeOf(base).toEqualTypeOf<number | undefined>();
          return (theirs ?? 0) + (mine ?? 0) - (base ?? 0);
        },
      },
      order: true,
    },
    notes: { schema: v.object({ text: v.string() }) },
  },
});

type Board = typeof board;

describe("the types of records", () => {
  it("come from their schemas", () => {
    type Card = { title: string; votes: number; done: boolean };
    expectTypeOf<StateOf<Board>["cards"]>().toEqualTypeOf<Table<Entry<Card>>>();
    expectTypeOf<StateOf<Board>["notes"]>().toEqualTypeOf<Table<Entry<{ text: string }>>>();
    expectTypeOf(ordered(board.initial().cards)).toEqualTypeOf<readonly Entry<Card>[]>();
    expectTypeOf<CommandName<Board>>().toEqualTypeOf<"create" | "patch" | "set" | "remove" | "restore" | "move">();
    expectTypeOf<ReasonOf<Board>>().toEqualTypeOf<RecordReason>();
  });

  it("hold commands to the collection that they name", () => {
    type Create = CommandInput<Board, "create">;
    type Patch = CommandInput<Board, "patch">;
    const takes = <T>(_: T): void => {};
    takes<Create>({ collection: "cards", value: { title: "a", votes: 1 } });
    // @ts-expect-error a card has no text
    takes<Create>({ collection: "cards", value: { text: "a" } });
    takes<Patch>({ collection: "notes", id: "n", fields: { text: "a" }, base: { text: "b" } });
    // @ts-expect-error a note has no title
    takes<Patch>({ collection: "notes", id: "n", fields: { title: "a" } });
    // @ts-expect-error votes are numbers
    takes<Patch>({ collection: "cards", id: "n", fields: { votes: "1" } });
    // @ts-expect-error there is no such collection
    takes<Patch>({ collection: "others", id: "n", fields: {} });
  });

  it("hold policies to the fields", () => {
    const schema = v.object({ votes: v.number() });
    // @ts-expect-error there is no such policy
    records({ collections: { cards: { schema, policies: { votes: "first" } } } });
    // @ts-expect-error it makes a text of numbers
    records({ collections: { cards: { schema, policies: { votes: () => "1" } } } });
  });
});
