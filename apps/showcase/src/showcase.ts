import { createClient } from "@tandem/client";
import type { Store } from "@tandem/runtime";
import type app from "../tandem.config.ts";
import type { Address } from "./address.ts";
import { Connection } from "./connection/connection.ts";
import { clientPresence } from "./people/client-presence.ts";
import { People } from "./people/people.ts";
import type { Person } from "./person/person.ts";
import { clientChannel } from "./room/client-channel.ts";
import { mapStore } from "./room/map-store.ts";
import { OpenedRooms } from "./room/opened-rooms.ts";
import { Room } from "./room/room.ts";

/** Everything the page shows, and nothing about how. */
export interface Showcase {
  readonly address: Address;
  readonly person: Person;
  readonly connection: Connection;
  readonly rooms: OpenedRooms;
  /** The reader's user, once the server has told it. */
  readonly self: Store<string | undefined>;
}

/** Connects to the server at `url` as a guest with the person's secret. */
export function openShowcase({
  url,
  address,
  person,
}: { url: string } & Pick<Showcase, "address" | "person">): Showcase {
  const name = person.name.get();
  const client = createClient<typeof app>({ url, guest: { secret: person.secret, ...(name !== "" && { name }) } });
  const self = mapStore(client.identity, (identity) => identity?.user);
  const rooms = new OpenedRooms((id) => {
    const channel = client.channel("room", id);
    const people = new People({ channel: clientPresence(channel), self, name: person.name });
    return new Room({ id, channel: clientChannel(channel), people, self, now: Date.now });
  });
  return { address, person, connection: new Connection(client), rooms, self };
}
