import type { State } from "@tandem/protocol";
import { errorOf } from "@tandem/protocol";
import { SharedMessage } from "../delivery/message.ts";
import type { Puller } from "../delivery/outbox.ts";
import type { StatePart } from "../model/states.ts";
import type { Session } from "./session.ts";
import { lacks } from "./subscriptions.ts";

/** Answers a request for a piece of a model's state. A piece takes credit: it is cut when there is room for it. */
export async function readState(session: Session, request: State): Promise<void> {
  if (!(await session.rights.can(request.channel, "read"))) throw errorOf("forbidden");
  const open = () => session.ports.channels.open(session.identity.tenant, request.channel);
  const channel = await open();
  if (request.atLeast && (await lacks(channel, request.atLeast))) throw errorOf("not-yet");
  session.ports.models.on(channel).instance(request.model);
  const lane = channel.definition.priority;
  const puller: Puller = {
    lane,
    pull: async () => {
      try {
        // There may have been no room for long: the right may have gone meanwhile, and the channel may have been let go.
        if (!(await session.rights.can(request.channel, "read"))) throw errorOf("forbidden");
        const models = session.ports.models.on(await open());
        const instance = models.instance(request.model);
        const part = await models.states.part(instance, session.identity.user, request);
        return () => {
          // It may also have gone while the piece was read, or is being asked for anew: then that is waited for, and the piece is read again.
          if (session.rights.can(request.channel, "read") !== true) return true;
          session.answerWith(request, lane, pieceMessage(request, part));
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

function pieceMessage({ id, channel, model }: State, { version, position, json, next }: StatePart): SharedMessage {
  const head = { type: "piece", id, channel, model, version, position, ...(next === undefined ? {} : { next }) };
  return new SharedMessage((codec) =>
    codec.name === "json"
      ? `${JSON.stringify(head).slice(0, -1)},"piece":${json}}`
      : codec.encode({ ...head, piece: JSON.parse(json) }),
  );
}
