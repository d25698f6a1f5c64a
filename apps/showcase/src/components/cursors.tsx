import { useEffect, useRef } from "react";
import { CursorStage } from "../cursors/cursor-stage.ts";
import { watchPointer } from "../cursors/own-pointer.ts";
import type { People } from "../people/people.ts";

/** Over the messages, the others' pointers. On a device without a pointer of its own there are none: they would only cover the text. */
export function Cursors({ people }: { people: People }) {
  const column = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = column.current;
    const area = element?.closest<HTMLElement>(".messages");
    if (!element || !area || !matchMedia("(any-hover: hover)").matches) return;
    const stage = new CursorStage(element);
    const endings = [
      people.onCursors((moves) => stage.move(moves)),
      watchPointer(area, element, (place) => people.point(place)),
      () => stage.close(),
    ];
    return () => {
      for (const end of endings) end();
    };
  }, [people]);
  return (
    <div className="cursors" aria-hidden="true">
      <div ref={column} className="cursor-column" />
    </div>
  );
}
