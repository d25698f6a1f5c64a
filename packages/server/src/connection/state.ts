import type { State } from "@tandem/protocol";
import { SharedMessage } from "../delivery/message.ts";
import type { StatePart } from "../model/states.ts";
import { answerFrom } from "./reading.ts";
import type { Session } from "./session.ts";

/** Answers a request for a piece of a model's state. A piece takes credit: it is cut when there is room for it. */
export function readState(session: Session, request: State): Promise<void> {
  const { models } = session.ports;
  return answerFrom(session, request, {
    check: (channel) => void models.on(channel).instance(request.model),
    read: async (channel) => {
      const known = models.on(channel);
      const part = await known.states.part(known.instance(request.model), session.identity.user, request);
      return pieceMessage(request, part);
    },
  });
}

function pieceMessage({ id, channel, model }: State, { version, position, json, next }: StatePart): SharedMessage {
  const head = { type: "piece", id, channel, model, version, position, ...(next === undefined ? {} : { next }) };
  return new SharedMessage((codec) =>
    codec.name === "json"
      ? `${JSON.stringify(head).slice(0, -1)},"piece":${json}}`
      : codec.encode({ ...head, piece: JSON.parse(json) }),
  );
}
