import { useEffect, useRef, useState } from "react";
import type { RoomView } from "../room/room.ts";
import { announcement, newestSpoken } from "./announcement.ts";

/** Messages that come within this time are told together, in milliseconds. */
const PAUSE = 1_500;

/** Tells screen readers what came in, a few at a time: a busy room is told by its number of messages. */
export function Announcer({ view }: { view: RoomView }) {
  const [spoken, setSpoken] = useState("");
  /** Key of the newest message of others that was told, or was there from the start. Undefined until the room is open. */
  const told = useRef<string | undefined>(undefined);
  const latest = useRef(view);
  latest.current = view;
  const newest = view.past.kind === "opening" ? undefined : (newestSpoken(view.rows)?.key ?? "");
  useEffect(() => {
    if (newest === undefined) return;
    if (told.current === undefined) told.current = newest;
    if (told.current === newest) return;
    const timer = setTimeout(() => {
      setSpoken(announcement(latest.current.rows, told.current));
      told.current = newestSpoken(latest.current.rows)?.key ?? "";
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [newest]);
  return (
    <p className="unseen" aria-live="polite">
      {spoken}
    </p>
  );
}
