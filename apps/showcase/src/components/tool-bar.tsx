import type { ToolName } from "../tools/tools.ts";
import { TOOL_NAMES } from "../tools/tools.ts";
import { Icon } from "./icon.tsx";

export const TOOL_LABELS: Record<ToolName, string> = { votes: "Votes", board: "Board", note: "Note", jobs: "Jobs" };

export const TOOL_SIDE = "tool";

export function toolButtonId(name: ToolName): string {
  return `open-${name}`;
}

interface ToolBarProps {
  readonly open: ToolName | undefined;
  readonly onChange: (open: ToolName | undefined) => void;
}

/** Opens what there is beside the messages, one at a time. */
export function ToolBar({ open, onChange }: ToolBarProps) {
  return (
    <nav className="tool-bar" aria-label="Beside the messages">
      {TOOL_NAMES.map((name) => (
        <button
          key={name}
          type="button"
          id={toolButtonId(name)}
          aria-expanded={open === name}
          aria-controls={open === name ? TOOL_SIDE : undefined}
          onClick={() => onChange(open === name ? undefined : name)}
        >
          <Icon name={name} />
          <span>{TOOL_LABELS[name]}</span>
        </button>
      ))}
    </nav>
  );
}
