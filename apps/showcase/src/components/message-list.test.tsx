import { Cell } from "@tandem/runtime";
import { createRef } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { People } from "../people/people.ts";
import type { ChannelPort } from "../room/channel-port.ts";
import { Room } from "../room/room.ts";
import { MessageList } from "./message-list.tsx";

const self = new Cell<string | undefined>("me");

/** A room whose subscription ends for this reason. */
function ending(reason: string) {
  let fail = () => {};
  const channel: ChannelPort = {
    publish: () => ({ id: () => undefined, delivery: new Cell({ kind: "queued" } as const) }),
    subscribe({ onError }) {
      fail = () => onError(reason);
      return { state: new Cell("pending" as const), reached: () => ({ epoch: "", offset: 0 }), unsubscribe() {} };
    },
    history: () => new Promise(() => {}),
  };
  const enter = () => {
    throw new Error("nobody enters");
  };
  const people = new People({ channel: { enter }, self, name: new Cell("Me") });
  const openTools = () => Promise.reject(new Error("nothing to open"));
  return { room: new Room({ id: "lobby", channel, people, self, openTools, now: () => 0 }), fail: () => fail() };
}

function shown(room: Room): string {
  const nothing = () => undefined;
  return renderToStaticMarkup(
    <MessageList
      ref={createRef()}
      room={room}
      view={room.get()}
      onSendAgain={nothing}
      onEdit={nothing}
      onRemove={nothing}
    />,
  );
}

it("tells that nothing comes any more, and why: in an empty room, and beside messages", () => {
  const { room, fail } = ending("No right to read it.");
  expect(shown(room)).not.toContain("cannot be read");
  fail();
  expect(shown(room)).toContain("No right to read it.");
  room.send("hello", "Me");
  expect(shown(room)).toContain("No right to read it.");
});
