import type { History, State } from "@tandem/protocol";
import { errorOf } from "@tandem/protocol";
import type { Channel } from "../channel/channel.ts";
import type { Outgoing } from "../delivery/message.ts";
import type { Puller } from "../delivery/outbox.ts";
import type { Session } from "./session.ts";
import { lacks } from "./subscriptions.ts";

/** How a request is answered from its channel. */
export interface Reading {
  /** Throws where the channel has nothing of the kind: asked at once. */
  check?(channel: Channel): void;
  /** The answer. Rejects with what the client is told instead. */
  read(channel: Channel): Promise<Outgoing>;
}

/**
 * Answers a request with what is read from its channel, for who may have it when it is told. The answer takes credit: it is read when there is room for it.
 *
 * @throws TandemError (by rejection) what the client is told where it is not read at all
 */
export async function answerFrom(session: Session, request: History | State, reading: Reading): Promise<void> {
  if (!(await session.rights.can(request.channel, "read"))) throw errorOf("forbidden");
  const open = () => session.ports.channels.open(session.identity.tenant, request.channel);
  const channel = await open();
  if (request.atLeast && (await lacks(channel, request.atLeast))) throw errorOf("not-yet");
  reading.check?.(channel);
  const lane = channel.definition.priority;
  const puller: Puller = {
    lane,
    pull: async () => {
      try {
        // There may have been no room for long: the right may have gone meanwhile, and the channel may have been let go.
        if (!(await session.rights.can(request.channel, "read"))) throw errorOf("forbidden");
        const answer = await reading.read(await open());
        return () => {
          // It may also have gone while this was read, or is being asked for anew: then that is waited for, and it is read again.
          if (session.rights.can(request.channel, "read") !== true) return true;
          session.answerWith(request, lane, answer);
          return false;
        };
      } catch (error) {
        session.fail(request, error);
        return () => false;
      }
    },
  };
  if (!session.ended) session.outbox.wait(puller);
}
