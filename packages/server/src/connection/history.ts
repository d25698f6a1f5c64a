import type { History } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Outgoing } from "../delivery/message.ts";
import { SharedMessage } from "../delivery/message.ts";
import type { SharedEvent } from "../delivery/shared-event.ts";
import { answerFrom } from "./reading.ts";
import type { Session } from "./session.ts";

/** Bytes of events in one page, about: a page ends early rather than holding up what comes behind it on a slow way. */
const PAGE_BYTES = 16_384;

/** Answers a request for a page of history. A page takes credit: it is read when there is room for it. */
export async function readHistory(session: Session, request: History): Promise<void> {
  if (request.limit > session.ports.limits.historyPage) {
    throw new TandemError("bad-message", `limit: a page may hold ${session.ports.limits.historyPage} events.`);
  }
  return answerFrom(session, request, {
    read: async (channel) => {
      const { epoch, events, next } = await channel.page(request.before, request.limit, PAGE_BYTES);
      const { visible } = channel;
      const shown = visible ? events.filter((event) => visible(event.value, session.identity)) : events;
      return pageMessage(request, epoch, shown, next);
    },
  });
}

function pageMessage(
  request: History,
  epoch: string,
  events: readonly SharedEvent[],
  next: number | undefined,
): Outgoing {
  const { id, channel } = request;
  const head = { type: "page", id, channel, epoch, ...(next === undefined ? {} : { next }) };
  return new SharedMessage((codec) =>
    codec.encodeWithEvents(
      head,
      events.map((event) => event.encoded(codec)),
    ),
  );
}
