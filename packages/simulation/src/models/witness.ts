import { TandemError } from "@tandem/protocol";
import type { Application } from "@tandem/server/core";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";
import type { Command } from "./book.ts";
import { modelNamed } from "./desk.ts";

type ApplicationModel = ReturnType<Application["model"]>;

const known = new WeakSet<Application>();

/**
 * The application's side of a tenant in a node's process, whose commands are booked from now on, whoever in that process sends them: they
 * go over no wire on which they could be heard.
 */
export function witnessed(world: World, application: Application, process: Process): Application {
  if (known.has(application)) return application;
  known.add(application);
  const open = application.model.bind(application);
  application.model = (channel, name) => {
    const model = open(channel, name);
    const command = model.command.bind(model);
    model.command = (...asked) => {
      const { result, ids } = process.listening(() => command(...asked));
      const [nonce] = ids;
      if (nonce !== undefined)
        book(world, process, { channel: `${application.tenant}/${channel}`, model: name, nonce }, asked, result);
      return result;
    };
    return model;
  };
  return application;
}

/** Notes a command of the application, and what becomes of it. */
function book(
  { desks, clock }: World,
  process: Process,
  what: Pick<Command, "channel" | "model" | "nonce">,
  [command, input, options = {}]: Parameters<ApplicationModel["command"]>,
  result: ReturnType<ApplicationModel["command"]>,
): void {
  const version = options.version ?? modelNamed(what.model)?.version ?? 1;
  const json = JSON.parse(JSON.stringify(input));
  const asked = { ...what, command, version, input: json, user: options.user, fence: undefined, admin: true };
  const sent = desks.book.sent(asked, process.name);
  desks.book.arrived(asked, clock.now);
  result.then(
    (position) => {
      sent.verdict = { kind: "confirmed", position };
      sent.settledAt = clock.now;
    },
    (error: unknown) => {
      ofTandem(error);
      const { code, retryable } = error as TandemError;
      sent.verdict = retryable || code === "unknown-outcome" ? { kind: "unknown" } : { kind: "rejected", code };
      sent.settledAt = clock.now;
    },
  );
  process.whenGone(() => {
    sent.verdict ??= { kind: "unknown" };
  });
}

/** @throws what is no error that the product tells */
export function ofTandem(error: unknown): void {
  if (!(error instanceof TandemError)) throw error;
}
