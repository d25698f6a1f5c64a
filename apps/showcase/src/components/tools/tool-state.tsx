import type { ReactNode } from "react";
import type { ToolStatus } from "../../tools/tool-status.ts";

/** A tool's content, or why there is none. */
export function ToolState({ status, children }: { status: ToolStatus; children: ReactNode }) {
  switch (status.kind) {
    case "opening":
      return <p className="tool-words empty-opening">Opening…</p>;
    case "failed":
      return (
        <p className="tool-words" role="alert">
          This cannot be shown. {status.reason}
        </p>
      );
    case "ready":
      return children;
  }
}
