import { useEffect } from "react";
import type { People } from "../people/people.ts";

/** The reader is in a room for as long as its page is open: who closes it has left at once, and not when the others have waited in vain. */
export function useVisit(people: People): void {
  useEffect(() => {
    let leave: (() => void) | undefined = people.enter();
    const come = () => {
      leave ??= people.enter();
    };
    const go = () => {
      leave?.();
      leave = undefined;
    };
    addEventListener("pagehide", go);
    // A browser may keep a page that was left, and show it again as it was.
    addEventListener("pageshow", come);
    return () => {
      removeEventListener("pagehide", go);
      removeEventListener("pageshow", come);
      go();
    };
  }, [people]);
}
