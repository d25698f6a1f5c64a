import type { Right } from "@tandem/app";
import type { Command } from "@tandem/protocol";
import { findCommand, toQuestion } from "../model/asking.ts";
import type { Session } from "./session.ts";
import type { Verdict } from "./verdict.ts";
import { FORBIDDEN, lockFault } from "./verdict.ts";

/** Judges a session's command before its model is asked: rights, lock, input. A promise where one of them takes its time. */
export function judgeCommand(session: Session, command: Command): Verdict | Promise<Verdict> {
  const rights = session.rights.on(command.channel);
  return rights instanceof Promise
    ? rights.then((list) => judge(session, command, list))
    : judge(session, command, rights);
}

function judge(session: Session, command: Command, rights: readonly Right[]): Verdict | Promise<Verdict> {
  const definition = session.ports.channels.definitionOf(command.channel);
  if (!definition || !rights.includes("read")) return FORBIDDEN;
  const found = findCommand(definition, command);
  if ("refusal" in found) return found;
  const right: Right = found.declared.right ?? "write";
  if (!rights.includes(right)) return FORBIDDEN;
  const { user } = session.identity;
  const write = { model: command.model, command: command.command, input: command.input, user };
  const fault = lockFault(definition, write, command.fence, session.ports.runtime.logger);
  return fault ?? toQuestion(found, command, { user, admin: rights.includes("admin") });
}
