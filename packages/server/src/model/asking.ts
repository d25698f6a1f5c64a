import type { ChannelDefinition } from "@tandem/app";
import type { AnyModel } from "@tandem/model";
import { upcastInput } from "@tandem/model";
import { bodyDigest } from "@tandem/protocol";
import { tellableIssues } from "../channel/validation.ts";
import type { Refusal } from "../log/log.ts";
import type { Question } from "./decision.ts";

/** A command as someone brings it. */
export interface Asking {
  readonly model: string;
  readonly command: string;
  /** Version of the model that it was made for. */
  readonly version: number;
  readonly input: unknown;
  readonly nonce: string;
}

/** A command of a declared model. */
export interface KnownCommand {
  readonly model: AnyModel;
  readonly declared: AnyModel["commands"][string];
}

type Asked = { readonly question: Question } | { readonly refusal: Refusal };

/** Who brings it, and may they do everything on the channel? */
export interface Asker {
  readonly user: string | undefined;
  readonly admin: boolean;
}

/** The command that is meant, or why there is none. */
export function findCommand(
  definition: ChannelDefinition,
  { model: name, command, version }: Pick<Asking, "model" | "command" | "version">,
): KnownCommand | { readonly refusal: Refusal } {
  const model = definition.models.get(name);
  if (!model) return refuse(`This channel declares no model "${name}".`);
  const declared = Object.hasOwn(model.commands, command) ? model.commands[command] : undefined;
  if (!declared) return refuse(`The model "${name}" declares no command "${command}".`);
  if (version > model.version) return refuse(`The model "${name}" is declared up to version ${model.version}.`);
  return { model, declared };
}

/** Checks a command's input against its schema. Asynchronous only where the schema is. */
export function toQuestion({ model, declared }: KnownCommand, asking: Asking, asker: Asker): Asked | Promise<Asked> {
  try {
    const input = upcastInput(model, asking.command, asking.version, asking.input);
    const checked = declared.input["~standard"].validate(input);
    return checked instanceof Promise
      ? checked.then((result) => conclude(result, asking, asker)).catch(failed)
      : conclude(checked, asking, asker);
  } catch {
    return failed();
  }
}

type Checked = Awaited<ReturnType<KnownCommand["declared"]["input"]["~standard"]["validate"]>>;

function conclude(checked: Checked, { command, nonce }: Asking, { user, admin }: Asker): Asked {
  if (checked.issues) {
    const message = `The input of "${command}" does not match its schema.`;
    return { refusal: { code: "invalid-data", message, issues: tellableIssues(checked.issues) } };
  }
  return { question: { kind: "command", command, input: checked.value, user, admin, nonce } };
}

function failed(): Asked {
  return { refusal: { code: "invalid-data", message: "The command's schema could not take this input." } };
}

function refuse(message: string): { readonly refusal: Refusal } {
  return { refusal: { code: "invalid-command", message } };
}

/**
 * By what another body under a used sequence number is noticed. Of a command whose input is nobody's to know it is the nonce alone, 132
 * random bits that are kept nowhere: whatever the input was, the digest looks the same.
 */
export function commandDigest(definition: ChannelDefinition, asking: Asking): string {
  const found = findCommand(definition, asking);
  const secret = "declared" in found && found.declared.secret === true;
  const body = secret ? asking.nonce : `${asking.nonce}${JSON.stringify(asking.input) ?? ""}`;
  return bodyDigest(`${asking.model}.${asking.command}`, asking.version, body);
}
