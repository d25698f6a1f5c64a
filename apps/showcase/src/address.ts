import type { Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";
import { addressOfRoom, roomOfAddress } from "./room/room-name.ts";

/** The room in the page's address: follows the browser's back and forward, and goes to another room. */
export interface Address {
  readonly room: Store<string>;
  go(room: string): void;
}

export function browserAddress(): Address {
  const room = new Cell(roomOfAddress(location.search));
  window.addEventListener("popstate", () => room.set(roomOfAddress(location.search)));
  history.replaceState(null, "", addressOfRoom(room.get()));
  return {
    room,
    go(id) {
      if (id === room.get()) return;
      history.pushState(null, "", addressOfRoom(id));
      room.set(id);
    },
  };
}
