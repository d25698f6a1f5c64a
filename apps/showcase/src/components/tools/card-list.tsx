import type { KeyboardEvent } from "react";
import { useLayoutEffect, useRef, useState } from "react";
import type { Board, CardRow } from "../../board/board.ts";
import { Card } from "./card.tsx";
import { useCardDrag } from "./use-card-drag.ts";

const STEPS: Record<string, (index: number, last: number) => number> = {
  ArrowUp: (index) => index - 1,
  ArrowDown: (index) => index + 1,
  Home: () => 0,
  End: (_, last) => last,
};

/** The cards in their order. They are moved by their handles: with the pointer, or with the arrow keys. */
export function CardList({ board, cards }: { board: Board; cards: readonly CardRow[] }) {
  const list = useRef<HTMLOListElement>(null);
  const { dragged, grip } = useCardDrag(list, (id, index) => board.move(id, index));
  const [spoken, setSpoken] = useState("");
  /** The card that was moved by keys: its handle keeps the focus, wherever it goes. */
  const moved = useRef<string | undefined>(undefined);
  useLayoutEffect(() => {
    if (moved.current === undefined) return;
    const handle = list.current?.querySelector<HTMLElement>(`[data-card="${moved.current}"] .card-grip`);
    moved.current = undefined;
    handle?.focus();
  });

  function press(event: KeyboardEvent, { id, title }: CardRow, index: number) {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const to = Math.min(cards.length - 1, Math.max(0, step(index, cards.length - 1)));
    if (to === index) return;
    moved.current = id;
    board.move(id, to);
    setSpoken(`${title} is now ${to + 1} of ${cards.length}`);
  }

  return (
    <>
      <ol ref={list} className="cards" aria-label="Cards" data-dragging={dragged !== undefined}>
        {cards.map((card, index) => (
          <li
            key={card.id}
            className="card"
            data-card={card.id}
            data-done={card.done}
            data-dragged={dragged?.id === card.id}
            data-drop={dragged?.mark === card.id ? dragged.side : undefined}
          >
            <Card card={card} board={board} grip={grip(card.id)} onGripKey={(event) => press(event, card, index)} />
          </li>
        ))}
      </ol>
      <p className="unseen" aria-live="polite">
        {spoken}
      </p>
    </>
  );
}
