import type { ModelState } from "@tandem/client";

/** How far a tool's state has come. */
export type ToolStatus =
  | { readonly kind: "opening" }
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly reason: string };

/** A state as far as it is there, and how far that is. */
export function readState<S>(state: ModelState<S>): { readonly status: ToolStatus; readonly value: S | undefined } {
  if (state.kind === "failed") return { status: { kind: "failed", reason: state.error.message }, value: undefined };
  const { value } = state;
  return { status: { kind: value === undefined ? "opening" : "ready" }, value };
}
