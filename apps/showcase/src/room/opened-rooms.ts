import type { Room } from "./room.ts";

/** Most rooms kept open at a time. */
const OPEN = 20;

/** The rooms visited on this page. They stay open, so that what waits in one of them is still seen on coming back. */
export class OpenedRooms {
  readonly #make: (id: string) => Room;
  /** The latest visited last. */
  readonly #rooms = new Map<string, Room>();

  constructor(make: (id: string) => Room) {
    this.#make = make;
  }

  visit(id: string): Room {
    const room = this.#rooms.get(id) ?? this.#make(id);
    this.#rooms.delete(id);
    this.#rooms.set(id, room);
    this.#closeOldest();
    return room;
  }

  /** Own messages that may still be stored, in all of them. */
  get waiting(): number {
    return [...this.#rooms.values()].reduce((sum, room) => sum + room.waiting, 0);
  }

  #closeOldest(): void {
    if (this.#rooms.size <= OPEN) return;
    const [current, ...earlier] = [...this.#rooms.values()].reverse();
    const oldest = earlier.findLast((room) => !room.unfinished) ?? earlier.at(-1);
    if (oldest === undefined || oldest === current) return;
    oldest.close();
    this.#rooms.delete(oldest.id);
  }
}
