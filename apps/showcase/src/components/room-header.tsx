import { useState } from "react";
import type { Room } from "../room/room.ts";
import { roomId } from "../room/room-name.ts";
import type { Showcase } from "../showcase.ts";
import { Ask } from "./ask.tsx";
import { Avatar } from "./avatar.tsx";
import { AwaySwitch } from "./away-switch.tsx";
import { ConnectionState } from "./connection-state.tsx";
import { Icon } from "./icon.tsx";
import { Logo } from "./logo.tsx";
import { NameForm } from "./name-form.tsx";
import { PeopleHere } from "./people-here.tsx";
import { useStore } from "./use-store.ts";

/** Which room this is, who is in it, who is reading it, and how the connection stands. */
export function RoomHeader({ showcase, room }: { showcase: Showcase; room: Room }) {
  const { address, person, connection } = showcase;
  const name = useStore(person.name);
  const self = useStore(showcase.self);
  const status = useStore(connection.status);
  const away = useStore(connection.away);
  const [asking, setAsking] = useState<"room" | "name">();
  const close = () => setAsking(undefined);

  function changeRoom(answer: string) {
    const id = roomId(answer);
    if (id === undefined) return "Use letters from a to z, or digits.";
    address.go(id);
    close();
  }

  function changeName(answer: string) {
    person.rename(answer);
    close();
    return undefined;
  }

  return (
    <header className="header">
      <div className="header-inner">
        <Logo />
        <h1 className="title">
          <button type="button" className="quiet" onClick={() => setAsking("room")} title="Go to another room">
            <span className="title-name">{room.id}</span>
            <Icon name="swap" />
            <span className="unseen">Go to another room</span>
          </button>
        </h1>
        <PeopleHere people={room.people} />
        <ConnectionState status={status} away={away} />
        <AwaySwitch away={away} onChange={connection.stayAway} />
        <button type="button" className="quiet me" onClick={() => setAsking("name")} title="Change your name">
          <Avatar name={name} author={self ?? name} />
          <span className="me-name">{name}</span>
          <span className="unseen">Change your name</span>
        </button>
      </div>
      {asking === "room" && (
        <Ask label="Go to another room" onClose={close}>
          <NameForm
            question="Which room would you like to enter?"
            value={room.id}
            action="Go"
            onAnswer={changeRoom}
            onCancel={close}
          />
        </Ask>
      )}
      {asking === "name" && (
        <Ask label="Change your name" onClose={close}>
          <NameForm
            question="What shall people call you?"
            value={name}
            action="Save"
            onAnswer={changeName}
            onCancel={close}
          />
        </Ask>
      )}
    </header>
  );
}
