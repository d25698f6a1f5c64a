import type { ChannelDefinition, PresenceDefinition } from "@tandem/app";
import type { Enter, Limits, Signal } from "@tandem/protocol";
import { errorOf, TandemError } from "@tandem/protocol";
import type { SignalWord } from "../bus/presence.ts";
import { faultOf } from "../channel/json-text.ts";
import { tellableIssues } from "../channel/validation.ts";

type Schema = NonNullable<PresenceDefinition["state"]>;

/** A promise only where the schema makes one: what needs no waiting keeps its place. */
export type Soon<T> = T | Promise<T>;

/**
 * What a client says of itself, by the schema of its channel's type, as JSON text.
 *
 * @throws TandemError `invalid-data`, `state-too-large`, `too-deep`
 */
export function stateText(presence: PresenceDefinition, enter: Enter, limits: Limits): Soon<string | undefined> {
  if (!presence.state) {
    if (enter.state === undefined) return undefined;
    throw new TandemError("invalid-data", "Members of this channel say nothing of themselves: it declares no state.");
  }
  return checked(presence.state, enter.state, "A presence state", limits, (bytes) => {
    if (bytes > limits.presenceBytes) throw errorOf("state-too-large");
  });
}

/**
 * Signals by their schemas, as words of a device.
 *
 * @throws TandemError `invalid-data`, `signal-too-large`, `too-many-signals`, `too-deep`
 */
export function signalWords(
  definition: ChannelDefinition,
  device: string,
  { signals, seq }: Signal,
  limits: Limits,
): Soon<readonly SignalWord[]> {
  const given = Object.entries(signals);
  if (given.length > limits.signalKeys) throw errorOf("too-many-signals");
  const word = (key: string, data: unknown): Soon<SignalWord> => {
    const schema = definition.signals.get(key);
    if (!schema) throw new TandemError("invalid-data", `This channel declares no signal "${key}".`);
    if (data === null) return [device, key, seq, "null"];
    const text = checked(schema, data, `The signal "${key}"`, limits, (bytes) => {
      if (bytes > limits.signalBytes) throw errorOf("signal-too-large");
    });
    return text instanceof Promise ? text.then((json) => [device, key, seq, json]) : [device, key, seq, text];
  };
  const words: Soon<SignalWord>[] = [];
  try {
    for (const [key, data] of given) words.push(word(key, data));
  } catch (error) {
    // What a schema that takes its time has still to say of an earlier one, nobody waits for.
    for (const one of words) void Promise.resolve(one).catch(() => undefined);
    throw error;
  }
  return words.some((one) => one instanceof Promise) ? Promise.all(words) : (words as SignalWord[]);
}

function checked(
  schema: Schema,
  data: unknown,
  what: string,
  { depth }: Limits,
  measure: (bytes: number) => void,
): Soon<string> {
  const conclude = (result: Awaited<ReturnType<Schema["~standard"]["validate"]>>): string => {
    if (result.issues) {
      const issues = tellableIssues(result.issues);
      throw new TandemError("invalid-data", `${what} does not match its schema.`, { issues });
    }
    const json = JSON.stringify(result.value);
    if (json === undefined) throw new TandemError("invalid-data", `${what} is no JSON value.`);
    measure(Buffer.byteLength(json));
    const fault = faultOf(json, depth);
    if (fault) throw new TandemError(fault.code, `${what} ${fault.message}`);
    return json;
  };
  const failed = (error: unknown): never => {
    if (error instanceof TandemError) throw error;
    throw new TandemError("invalid-data", `The schema could not take this: ${what.toLowerCase()}.`);
  };
  try {
    const result = schema["~standard"].validate(data);
    return result instanceof Promise ? result.then(conclude).catch(failed) : conclude(result);
  } catch (error) {
    return failed(error);
  }
}
