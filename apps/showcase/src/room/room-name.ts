/** Where a visitor without an address begins. */
const FIRST_ROOM = "lobby";

const LONGEST = 40;

/**
 * The id of the room that a person means: small letters and digits, words joined by `-`, 40 at most. Accents are left
 * out, so that one room is not named twice.
 *
 * @returns `undefined` where nothing is left
 */
export function roomId(spoken: string): string | undefined {
  const plain = spoken.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const id = plain
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, LONGEST)
    .replace(/^-+|-+$/g, "");
  return id === "" ? undefined : id;
}

/** The room that a page's address names (`?room=lobby`). */
export function roomOfAddress(search: string): string {
  return roomId(new URLSearchParams(search).get("room") ?? "") ?? FIRST_ROOM;
}

/** The address of a room on this page. */
export function addressOfRoom(id: string): string {
  return `?${new URLSearchParams({ room: id })}`;
}
