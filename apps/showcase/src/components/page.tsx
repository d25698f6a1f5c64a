import { useEffect } from "react";
import type { Showcase } from "../showcase.ts";
import { RoomPage } from "./room-page.tsx";
import { useStore } from "./use-store.ts";
import { Welcome } from "./welcome.tsx";

/** The whole page: the question for a name, then the room that the address names. */
export function Page({ showcase }: { showcase: Showcase }) {
  const id = useStore(showcase.address.room);
  const named = useStore(showcase.person.name) !== "";
  useEffect(() => {
    document.title = `${id} · Tandem`;
  }, [id]);
  if (!named) return <Welcome room={id} onName={(name) => showcase.person.rename(name)} />;
  return <RoomPage key={id} showcase={showcase} room={showcase.rooms.visit(id)} />;
}
