import type { History } from "@tandem/protocol";
import { errorOf, TandemError } from "@tandem/protocol";
import type { Outgoing } from "../delivery/message.ts";
import { SharedMessage } from "../delivery/message.ts";
import type { Puller } from "../delivery/outbox.ts";
import type { SharedEvent } from "../delivery/shared-event.ts";
import type { Session } from "./session.ts";
import { lacks } from "./subscriptions.ts";

/** Bytes of events in one page, about: a page ends early rather than holding up what comes behind it on a slow way. */
const PAGE_BYTES = 16_384;

/** Answers a request for a page of history. A page takes credit: it is read when there is room for it. */
export async function readHistory(session: Session, request: History): Promise<void> {
  if (request.limit > session.ports.limits.historyPage) {
    throw new TandemError("bad-message", `limit: a page may hold ${session.ports.limits.historyPage} events.`);
  }
  if (!(await session.rights.can(request.channel, "read"))) throw errorOf("forbidden");
  const open = () => session.ports.channels.open(session.identity.tenant, request.channel);
  const channel = await open();
  if (request.atLeast && (await lacks(channel, request.atLeast))) throw errorOf("not-yet");
  const lane = channel.definition.priority;
  const puller: Puller = {
    lane,
    pull: async () => {
      try {
        // There may have been no room for long: the right may have gone meanwhile, and the channel may have been let go.
        if (!(await session.rights.can(request.channel, "read"))) throw errorOf("forbidden");
        const present = await open();
        const { epoch, events, next } = await present.page(request.before, request.limit, PAGE_BYTES);
        const { visible } = present;
        const shown = visible ? events.filter((event) => visible(event.value, session.identity)) : events;
        return () => {
          // It may also have gone while the page was read, or is being asked for anew: then that is waited for, and the page is read again.
          if (session.rights.can(request.channel, "read") !== true) return true;
          session.answerWith(request, lane, pageMessage(request, epoch, shown, next));
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
