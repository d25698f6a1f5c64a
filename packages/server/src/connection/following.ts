import type { Follow, Unfollow } from "@tandem/protocol";
import { errorOf, TandemError } from "@tandem/protocol";
import type { Session } from "./session.ts";

/** Answers a request to put a channel on the user's list, or to take it from there, once that is durable. It counts as a publish. */
export async function changeFollowing(session: Session, request: Follow | Unfollow): Promise<void> {
  const { identity, ports, rights } = session;
  const { id, channel } = request;
  const wait = session.rates.publish();
  if (wait > 0) throw errorOf("rate-limited", { retryAfter: wait });
  if (request.type === "follow") {
    if (!(await rights.can(channel, "read"))) throw errorOf("forbidden");
    const version = await ports.followings.change(identity, request, request.version);
    session.answer(request, "normal", { type: "followed", id, channel, version });
  } else {
    if (ports.personal.has(identity.user, channel)) {
      throw new TandemError("forbidden", "Every connection of a user has this channel.");
    }
    const version = await ports.followings.change(identity, request, request.version);
    session.answer(request, "normal", { type: "unfollowed", id, channel, version });
  }
}
