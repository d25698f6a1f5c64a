import type { PointerEvent, RefObject } from "react";
import { useState } from "react";
import { indexAt } from "../../board/card-place.ts";

/** A card that is being dragged, and where it would go: before or after the card `mark`. */
interface Dragged {
  readonly id: string;
  readonly index: number;
  readonly mark: string | undefined;
  readonly side: "before" | "after";
}

/** So near to an edge of the list's view, in pixels, dragging scrolls it. */
const EDGE = 36;
const SCROLL = 12;

/** Lets cards be dragged by their grips. @param onMove is told where a card was let go */
export function useCardDrag(list: RefObject<HTMLElement | null>, onMove: (id: string, index: number) => void) {
  const [dragged, setDragged] = useState<Dragged>();

  function follow(id: string, height: number) {
    const others = [...(list.current?.querySelectorAll<HTMLElement>("[data-card]") ?? [])].filter(
      (card) => card.dataset.card !== id,
    );
    const middles = others.map((card) => {
      const { top, height: tall } = card.getBoundingClientRect();
      return top + tall / 2;
    });
    const index = indexAt(height, middles);
    const next = others[index];
    const side = next ? "before" : "after";
    setDragged({ id, index, mark: (next ?? others.at(-1))?.dataset.card, side });
    const view = list.current?.closest<HTMLElement>(".tool-body");
    if (!view) return;
    const { top, bottom } = view.getBoundingClientRect();
    if (height < top + EDGE) view.scrollBy(0, -SCROLL);
    if (height > bottom - EDGE) view.scrollBy(0, SCROLL);
  }

  const grip = (id: string) => ({
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      if (event.currentTarget.hasPointerCapture(event.pointerId)) follow(id, event.clientY);
    },
    onPointerUp: () => {
      if (dragged?.id === id) onMove(id, dragged.index);
      setDragged(undefined);
    },
    onPointerCancel: () => setDragged(undefined),
  });
  return { dragged, grip };
}
