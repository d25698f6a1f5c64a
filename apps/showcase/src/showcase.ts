import { createClient } from "@tandem/client";
import type { Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";
import type app from "../tandem.config.ts";
import type { Address } from "./address.ts";
import { Connection } from "./connection/connection.ts";
import { clientPresence } from "./people/client-presence.ts";
import type { NameOf } from "./people/names.ts";
import { People } from "./people/people.ts";
import type { Person } from "./person/person.ts";
import { clientChannel } from "./room/client-channel.ts";
import { mapStore } from "./room/map-store.ts";
import { OpenedRooms } from "./room/opened-rooms.ts";
import { Room } from "./room/room.ts";
import type { ToolName } from "./tools/tools.ts";

/** Everything the page shows, and nothing about how. */
export interface Showcase {
  readonly address: Address;
  readonly person: Person;
  readonly connection: Connection;
  readonly rooms: OpenedRooms;
  /** The tool that is open beside the messages, in whatever room. */
  readonly tool: Cell<ToolName | undefined>;
  /** The reader's user, once the server has told it. */
  readonly self: Store<string | undefined>;
}

export interface ShowcaseOptions extends Pick<Showcase, "address" | "person"> {
  /** Address of the server. */
  readonly url: string;
  /** Names this window among those of its person; the same after a reload. */
  readonly window: string;
}

/** Connects to the server at `url` as a guest with the person's secret. */
export function openShowcase({ url, address, person, window: windowId }: ShowcaseOptions): Showcase {
  const name = person.name.get();
  const client = createClient<typeof app>({ url, guest: { secret: person.secret, ...(name !== "" && { name }) } });
  const self = mapStore(client.identity, (identity) => identity?.user);
  const rooms = new OpenedRooms((id) => {
    const channel = client.channel("room", id);
    const people = new People({ channel: clientPresence(channel), self, name: person.name });
    const openTools = async (names: Store<NameOf>) => {
      const { clientTools } = await import("./tools/client-tools.ts");
      return clientTools({ client, room: id, self, names, window: windowId });
    };
    return new Room({ id, channel: clientChannel(channel), people, self, openTools, now: Date.now });
  });
  return {
    address,
    person,
    connection: new Connection(client),
    rooms,
    tool: new Cell<ToolName | undefined>(undefined),
    self,
  };
}
