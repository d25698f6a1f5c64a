import type { Inverse } from "@tandem/model";
import { Cell } from "@tandem/runtime";
import type { Command } from "./command.ts";

/** Most commands that can be taken back, and most that can be done again. */
const DEPTH = 100;

/** Takes commands back by commands, the last one first, and those in turn. Those that were refused are forgotten. */
export class UndoStack {
  readonly canUndo: Cell<boolean>;
  readonly canRedo: Cell<boolean>;
  #done: Command[] = [];
  #undone: Command[] = [];

  constructor(onError: (error: unknown) => void) {
    this.canUndo = new Cell(false, onError);
    this.canRedo = new Cell(false, onError);
  }

  /** A command was given that neither takes back another nor does it again. */
  did(command: Command): void {
    this.#undone = [];
    this.redid(command);
  }

  /** What takes back the last command that can be: it is on no stack any more. */
  undo(): Inverse | undefined {
    return taken(this.#done);
  }

  /** This command took one back. */
  undid(command: Command): void {
    this.#undone = [...this.#undone, command].slice(-DEPTH);
  }

  redo(): Inverse | undefined {
    return taken(this.#undone);
  }

  /** This one did it again. */
  redid(command: Command): void {
    this.#done = [...this.#done, command].slice(-DEPTH);
  }

  /** Decisions may have come out otherwise. */
  update(): void {
    this.#done = this.#done.filter(({ refused }) => !refused);
    this.#undone = this.#undone.filter(({ refused }) => !refused);
    this.canUndo.set(this.#done.some((command) => command.inverse()));
    this.canRedo.set(this.#undone.some((command) => command.inverse()));
  }
}

function taken(stack: Command[]): Inverse | undefined {
  const index = stack.findLastIndex((command) => command.inverse());
  return index < 0 ? undefined : stack.splice(index, 1)[0]?.inverse();
}
