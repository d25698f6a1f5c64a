import type { FormEvent, KeyboardEvent } from "react";
import { useState } from "react";
import type { Board } from "../../board/board.ts";
import { TITLE_LIMIT } from "../../board/board.ts";
import { Icon } from "../icon.tsx";
import { useStore } from "../use-store.ts";
import { CardList } from "./card-list.tsx";
import { ConflictNotice } from "./conflict-notice.tsx";
import { Refusals } from "./refusals.tsx";
import { ToolState } from "./tool-state.tsx";

/** The cards of the room. Ctrl+Z undoes, Ctrl+Shift+Z does it again. */
export function BoardPanel({ board }: { board: Board }) {
  const { status, cards, conflicts, canUndo, canRedo, refusals } = useStore(board);
  const [title, setTitle] = useState("");

  function add(event: FormEvent) {
    event.preventDefault();
    if (board.add(title)) setTitle("");
  }

  function press(event: KeyboardEvent) {
    const inField = event.target instanceof HTMLInputElement && event.target.type === "text";
    if (inField || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    if (event.shiftKey) board.redo();
    else board.undo();
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys for the whole panel, beside what its controls hear
    <div className="tool-body" onKeyDown={press}>
      <Refusals refusals={refusals} onDismiss={board.dismiss} />
      <ul className="conflicts" aria-label="Conflicts" aria-live="polite">
        {conflicts.map((conflict) => (
          <li key={conflict.key}>
            <ConflictNotice
              conflict={conflict}
              onRestore={() => board.restore(conflict.key)}
              onSettle={() => board.settle(conflict.key)}
            />
          </li>
        ))}
      </ul>
      <form className="card-form" onSubmit={add}>
        <input
          type="text"
          value={title}
          maxLength={TITLE_LIMIT}
          autoComplete="off"
          placeholder="Add a card"
          aria-label="New card"
          enterKeyHint="done"
          dir="auto"
          onChange={(event) => setTitle(event.target.value)}
        />
        <button type="submit" className="quiet" aria-label="Add" aria-disabled={title.trim() === ""}>
          <Icon name="add" />
        </button>
        <button
          type="button"
          className="quiet"
          aria-label="Undo"
          title="Undo what you did last"
          aria-disabled={!canUndo}
          onClick={() => board.undo()}
        >
          <Icon name="undo" />
        </button>
        <button
          type="button"
          className="quiet"
          aria-label="Redo"
          title="Do it again"
          aria-disabled={!canRedo}
          onClick={() => board.redo()}
        >
          <Icon name="redo" />
        </button>
      </form>
      <ToolState status={status}>
        {cards.length === 0 && (
          <p className="tool-words">
            No cards yet. Whatever you add here, everybody in the room sees, ticks and moves.
          </p>
        )}
        <CardList board={board} cards={cards} />
      </ToolState>
    </div>
  );
}
