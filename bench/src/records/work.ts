import { records } from "@tandem/model";
import * as v from "valibot";

export const WORK = { records: 50_000, screens: 50, changes: 100, pauseMs: 20 } as const;

export const CHANNEL = "board:1";
export const MODEL = "board";
export const COLLECTION = "cards";

/** What each record holds: about 137 bytes of JSON, its id with it. */
const Card = v.object({ title: v.string(), text: v.string(), state: v.string(), votes: v.number() });

type Card = v.InferOutput<typeof Card>;

const STATES = ["open", "doing", "done"];

export const board = records({ collections: { [COLLECTION]: { schema: Card, most: 100_000 } } });

export function idOf(index: number): string {
  return `card-${index}`;
}

export function cardOf(index: number): Card {
  const text = `What is to be done about the matter with the number ${index * 7919}`;
  return { title: `Card ${index}`, text, state: STATES[index % STATES.length] ?? "", votes: index % 97 };
}
