import { useEffect, useRef, useState } from "react";
import type { Room } from "../room/room.ts";
import type { ToolName, Tools } from "../tools/tools.ts";
import { Icon } from "./icon.tsx";
import { TOOL_LABELS, TOOL_SIDE } from "./tool-bar.tsx";

interface ToolSideProps {
  readonly name: ToolName;
  readonly room: Room;
  readonly onClose: () => void;
}

type Loaded =
  | { readonly kind: "loading" }
  | { readonly kind: "failed" }
  | {
      readonly kind: "ready";
      readonly tools: Tools;
      readonly Panel: typeof import("./tools/tool-panel.tsx").ToolPanel;
    };

/** A tool beside the messages; on a narrow screen, before them. Its code is loaded with the first one that is opened. */
export function ToolSide({ name, room, onClose }: ToolSideProps) {
  const [loaded, retry] = useTools(room);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <aside className="tool" id={TOOL_SIDE} aria-labelledby="tool-name" data-open-tool={name}>
      <header className="tool-head">
        <h2 id="tool-name" ref={heading} tabIndex={-1}>
          {TOOL_LABELS[name]}
        </h2>
        <button
          type="button"
          className="quiet"
          onClick={onClose}
          aria-label={`Close ${TOOL_LABELS[name].toLowerCase()}`}
        >
          <Icon name="close" />
        </button>
      </header>
      {loaded.kind === "ready" && <loaded.Panel name={name} tools={loaded.tools} />}
      {loaded.kind === "loading" && <p className="tool-words empty-opening">Opening…</p>}
      {loaded.kind === "failed" && (
        <p className="tool-words" role="alert">
          This could not be loaded.{" "}
          <button type="button" className="link" onClick={retry}>
            Try again
          </button>
        </p>
      )}
    </aside>
  );
}

function useTools(room: Room): [Loaded, () => void] {
  const [loaded, setLoaded] = useState<Loaded>({ kind: "loading" });
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each try loads again
  useEffect(() => {
    let isCurrent = true;
    Promise.all([room.tools(), import("./tools/tool-panel.tsx")]).then(
      ([tools, { ToolPanel }]) => isCurrent && setLoaded({ kind: "ready", tools, Panel: ToolPanel }),
      () => isCurrent && setLoaded({ kind: "failed" }),
    );
    return () => {
      isCurrent = false;
    };
  }, [room, tries]);
  const retry = () => {
    setLoaded({ kind: "loading" });
    setTries((before) => before + 1);
  };
  return [loaded, retry];
}
