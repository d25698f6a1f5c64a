import type { AnyModel } from "../model.ts";
import { Assembly, cutPiece } from "../pieces.ts";
import { frozen } from "./comparison.ts";
import { RuleBroken } from "./rule.ts";

/** The input of a command, as its schema gives it on. */
export function checkedInput(
  schema: AnyModel["commands"][string]["input"],
  input: unknown,
): { readonly value: unknown } | { readonly message: string } {
  const result = schema["~standard"].validate(input);
  if (result instanceof Promise) throw new RuleBroken("the schema of an input answers later: it has to answer at once");
  return result.issues ? { message: result.issues[0]?.message ?? "invalid" } : { value: frozen(result.value) };
}

/** A state as it comes to who loads it, in pieces of about `bytes`. */
export function throughPieces<S extends object>(state: S, bytes: number): S {
  const assembly = new Assembly<S>();
  let after: string | undefined;
  do {
    const { json, next } = cutPiece(state, after, bytes);
    assembly.add(JSON.parse(json));
    after = next;
  } while (after !== undefined);
  return assembly.state as S;
}
