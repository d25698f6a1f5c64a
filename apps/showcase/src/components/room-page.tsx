import type { KeyboardEvent } from "react";
import { useCallback, useEffect, useRef } from "react";
import type { Room } from "../room/room.ts";
import type { Showcase } from "../showcase.ts";
import { Announcer } from "./announcer.tsx";
import { Composer } from "./composer.tsx";
import type { MessageListHandle } from "./message-list.tsx";
import { MessageList } from "./message-list.tsx";
import { RoomHeader } from "./room-header.tsx";
import { ToolBar, toolButtonId } from "./tool-bar.tsx";
import { ToolSide } from "./tool-side.tsx";
import { useStore } from "./use-store.ts";

/** One room. Escape leads back to the newest message and the field to write in, from wherever one is. */
export function RoomPage({ showcase, room }: { showcase: Showcase; room: Room }) {
  const { person, connection } = showcase;
  const view = useStore(room);
  const name = useStore(person.name);
  const connected = useStore(connection.status).kind === "connected";
  const pending = useStore(connection.pending);
  const list = useRef<MessageListHandle>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const tool = useStore(showcase.tool);

  useEffect(() => room.people.enter(), [room]);

  useEffect(() => {
    // On a phone the keyboard would cover what one came to read.
    if (matchMedia("(hover: hover)").matches) field.current?.focus();
  }, []);

  const sendAgain = useCallback((id: string) => room.sendAgain(id, name), [room, name]);
  const remove = useCallback((id: string) => void room.takeBack(id), [room]);
  const edit = useCallback(
    (id: string) => {
      const text = room.takeBack(id);
      if (text === undefined) return;
      const writing = room.writing.get().trim();
      room.writing.set(writing === "" ? text : `${text}\n${writing}`);
      field.current?.focus();
    },
    [room],
  );

  function send(text: string) {
    list.current?.scrollToNewest();
    room.send(text, name);
  }

  function closeTool() {
    if (tool !== undefined) document.getElementById(toolButtonId(tool))?.focus();
    showcase.tool.set(undefined);
  }

  function press(event: KeyboardEvent) {
    const within = (places: string) => event.target instanceof Element && event.target.closest(places) !== null;
    if (event.key !== "Escape" || event.defaultPrevented || within("dialog")) return;
    if (tool !== undefined && within(".tool, .tool-bar")) return closeTool();
    list.current?.scrollToNewest();
    field.current?.focus();
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a key for the whole page, beside what its controls hear
    <div className="room" data-tool={tool} onKeyDown={press}>
      <RoomHeader showcase={showcase} room={room} />
      <main className="room-main">
        <MessageList ref={list} room={room} view={view} onSendAgain={sendAgain} onEdit={edit} onRemove={remove} />
        <Announcer view={view} />
        <Composer
          ref={field}
          room={room}
          connected={connected}
          pending={pending}
          messages={showcase.rooms.waiting}
          onSend={send}
        />
      </main>
      <ToolBar open={tool} onChange={(name) => showcase.tool.set(name)} />
      {tool !== undefined && <ToolSide key={tool} name={tool} room={room} onClose={closeTool} />}
    </div>
  );
}
