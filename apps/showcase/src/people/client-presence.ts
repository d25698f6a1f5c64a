import type { Channel } from "@tandem/client";
import { presence, signals } from "@tandem/client";
import type app from "../../tandem.config.ts";
import type { PresencePort } from "./presence-port.ts";

/** The presence and the signals of a room's channel in the client. */
export function clientPresence(channel: Channel<typeof app, "room">): PresencePort {
  return {
    enter(name, listener) {
      const here = presence(channel, { state: { name } });
      const cursor = signals(channel, "cursor", { onSignals: listener.cursors });
      const typing = signals(channel, "typing", { onSignals: listener.typing });
      return {
        members: here.members,
        count: here.count,
        status: here.status,
        rename: (changed) => here.update({ name: changed }),
        point: (place) => cursor.send(place),
        type: (types) => typing.send(types ? true : null),
        leave() {
          cursor.close();
          typing.close();
          here.close();
        },
      };
    },
  };
}
