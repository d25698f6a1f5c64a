import { addressOfRoom } from "../room/room-name.ts";
import { Icon } from "./icon.tsx";

interface EmptyRoomProps {
  readonly room: string;
  /** Not known yet whether it is empty. */
  readonly opening: boolean;
  readonly problem: string | undefined;
}

/** In the place of messages, where there are none. */
export function EmptyRoom({ room, opening, problem }: EmptyRoomProps) {
  if (problem !== undefined) {
    return (
      <div className="empty">
        <h2>This room cannot be read</h2>
        <p>{problem}</p>
      </div>
    );
  }
  if (opening) {
    return (
      <div className="empty empty-opening">
        <p>Opening {room}…</p>
      </div>
    );
  }
  return (
    <div className="empty">
      <svg className="empty-picture" viewBox="0 0 120 72" aria-hidden="true" focusable="false">
        <rect x="6" y="8" width="66" height="46" rx="8" />
        <rect className="front" x="48" y="20" width="66" height="46" rx="8" />
        <path d="M58 36h30M58 46h18" />
      </svg>
      <h2>Nobody has said anything in {room} yet</h2>
      <p>Open this room in a second window or send somebody its address, then write: it arrives at once.</p>
      <a className="button" href={addressOfRoom(room)} target="_blank" rel="noopener">
        <Icon name="window" />
        Open a second window
      </a>
    </div>
  );
}
