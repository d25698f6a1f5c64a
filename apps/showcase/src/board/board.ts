import type { Model, Sent } from "@tandem/client";
import type { Entry, ReasonOf } from "@tandem/model";
import { ordered } from "@tandem/model";
import type { Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";
import type { NameOf } from "../people/names.ts";
import type { board } from "../room-models.ts";
import type { Refusal, Stage } from "../tools/commands.ts";
import { Commands } from "../tools/commands.ts";
import type { ToolStatus } from "../tools/tool-status.ts";
import { readState } from "../tools/tool-status.ts";
import { watch } from "../tools/watch.ts";
import { boardRefusal } from "./board-words.ts";
import { placeFor } from "./card-place.ts";
import type { ConflictRow } from "./conflict-row.ts";
import { conflictRow } from "./conflict-row.ts";

/** What the page shows of a room's board. The same object until something changes. */
export interface BoardView {
  readonly status: ToolStatus;
  readonly cards: readonly CardRow[];
  readonly conflicts: readonly ConflictRow[];
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly refusals: readonly Refusal[];
}

export interface CardRow {
  readonly id: string;
  readonly title: string;
  readonly done: boolean;
  /** Who changed it last, in words: `Grace wrote this`. */
  readonly by: string;
  /** How far an own command about it is that is not final. */
  readonly stage: Stage | undefined;
}

export interface Card {
  readonly title: string;
  readonly done: boolean;
}

export interface BoardOptions {
  readonly model: Model<typeof board>;
  readonly names: Store<NameOf>;
  /** A new card's id: unique in the room. */
  readonly newId: () => string;
}

/** The longest title of a card, in UTF-16 code units. */
export const TITLE_LIMIT = 200;

const CARDS = { collection: "cards" } as const;
/** What is about no card that is known. */
const UNDOING = "undo";

/** The cards of a room, in one list. Knows no page and no React. */
export class Board implements Store<BoardView> {
  readonly #options: BoardOptions;
  readonly #commands = new Commands<ReasonOf<typeof board>>(boardRefusal);
  readonly #view: Cell<BoardView>;
  readonly #end: () => void;

  constructor(options: BoardOptions) {
    this.#options = options;
    this.#view = new Cell(this.#seen());
    const { model, names } = options;
    this.#end = watch([model.state, model.conflicts, model.canUndo, model.canRedo, names, this.#commands], () =>
      this.#view.set(this.#seen()),
    );
  }

  get = (): BoardView => this.#view.get();

  subscribe = (listener: () => void): (() => void) => this.#view.subscribe(listener);

  /** Adds a card at the end. Blank titles are not added. @returns whether it was */
  add(title: string): boolean {
    const value: Card = { title: title.trim(), done: false };
    if (value.title === "") return false;
    const id = this.#options.newId();
    this.#track(this.#options.model.send("create", { ...CARDS, id, value }), id, `The card “${value.title}”`);
    return true;
  }

  /** Gives a card another title. @param base the title that it had when the reader began to write */
  rename(id: string, title: string, base: string): void {
    const trimmed = title.trim();
    if (trimmed === "" || trimmed === base) return;
    const sent = this.#options.model.send("patch", { ...CARDS, id, fields: { title: trimmed }, base: { title: base } });
    this.#track(sent, id, `The title “${trimmed}”`);
  }

  tick(id: string, done: boolean): void {
    const card = this.#card(id);
    if (!card) return;
    const sent = this.#options.model.send("patch", { ...CARDS, id, fields: { done } });
    this.#track(sent, id, `${done ? "Ticking" : "Unticking"} “${card.value.title}”`);
  }

  /** Takes a card away, as it stands here: where somebody has changed it, that is a conflict. */
  remove(id: string): void {
    const card = this.#card(id);
    if (!card) return;
    const sent = this.#options.model.send("remove", { ...CARDS, id, base: card.value });
    this.#track(sent, id, `Removing “${card.value.title}”`);
  }

  /** Moves a card to an index of the list. */
  move(id: string, index: number): void {
    const cards = this.get().cards.map((card) => card.id);
    const after = placeFor(cards, id, index);
    if (after === undefined) return;
    const sent = this.#options.model.send("move", { ...CARDS, id, after });
    this.#track(sent, id, `Moving “${this.#card(id)?.value.title ?? "a card"}”`);
  }

  undo(): void {
    this.#trackUndo(this.#options.model.undo(), "Undoing");
  }

  redo(): void {
    this.#trackUndo(this.#options.model.redo(), "Redoing");
  }

  /** Puts the reader's own in the place of the other's. */
  restore(key: string): void {
    const conflict = this.#conflict(key);
    const sent = conflict?.restore?.();
    if (sent) this.#track(sent, conflict?.path[1] ?? UNDOING, "Restoring yours");
  }

  /** Leaves the other's as it is. */
  settle(key: string): void {
    this.#conflict(key)?.dismiss();
  }

  dismiss = (key: string): void => this.#commands.dismiss(key);

  get unfinished(): boolean {
    return this.#commands.unfinished;
  }

  end(): void {
    this.#end();
    this.#options.model.close();
  }

  #track(sent: Sent<ReasonOf<typeof board>>, about: string, what: string): void {
    this.#commands.track(sent, { about, what });
  }

  #trackUndo(sent: Sent<ReasonOf<typeof board>> | undefined, what: string): void {
    if (sent) this.#track(sent, UNDOING, what);
  }

  #card(id: string): Entry<Card> | undefined {
    return readState(this.#options.model.state.get()).value?.cards.get(id);
  }

  #conflict(key: string) {
    const conflicts = this.#options.model.conflicts.get();
    return conflicts.find((_, index) => this.get().conflicts[index]?.key === key);
  }

  #seen(): BoardView {
    const { model, names } = this.#options;
    const { status, value } = readState(model.state.get());
    const { stages, refusals } = this.#commands.get();
    const nameOf = names.get();
    const cards = (value ? ordered(value.cards) : []).map(({ id, value: card, made, changes }): CardRow => {
      const [by] = changes?.title ?? made;
      return { id, ...card, by: `${nameOf(by)} wrote this`, stage: stages.get(id) };
    });
    return {
      status,
      cards,
      conflicts: model.conflicts.get().map((conflict) => conflictRow(conflict, cards, nameOf)),
      canUndo: model.canUndo.get(),
      canRedo: model.canRedo.get(),
      refusals,
    };
  }
}
