import type { Virtualizer } from "@tanstack/react-virtual";
import type { RefObject } from "react";
import { useLayoutEffect, useRef } from "react";
import type { Row } from "../room/rows.ts";

/**
 * Keeps the text of the oldest message in its place when older ones come before it. The virtualizer keeps the row in its
 * place; but the row loses the day and the name that stood above its text as long as it was the first.
 */
export function useSteadyJoint(
  virtualizer: Virtualizer<HTMLDivElement, HTMLLIElement>,
  scroller: RefObject<HTMLDivElement | null>,
  rows: readonly Row[],
): void {
  const oldest = useRef<{ key: string | undefined; head: number }>({ key: undefined, head: 0 });
  const first = rows[0]?.key;
  useLayoutEffect(() => {
    const { key, head } = oldest.current;
    const element = scroller.current;
    if (key !== undefined && key !== first && element !== null && head > 0) {
      const row = virtualizer.elementsCache.get(key);
      const lost = row?.isConnected ? head - headOf(row) : 0;
      const inView =
        row !== undefined && row.getBoundingClientRect().bottom + lost > element.getBoundingClientRect().top;
      if (lost > 0 && inView) element.scrollTop -= lost;
    }
    const row = first === undefined ? undefined : virtualizer.elementsCache.get(first);
    oldest.current = { key: first, head: row?.isConnected ? headOf(row) : 0 };
  });
}

/** How far a row's text is below its top. */
function headOf(row: HTMLElement): number {
  const text = row.querySelector(".bubble");
  return text === null ? 0 : text.getBoundingClientRect().top - row.getBoundingClientRect().top;
}
