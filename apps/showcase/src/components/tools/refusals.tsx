import type { Refusal } from "../../tools/commands.ts";
import { Icon } from "../icon.tsx";

/** Own commands that came to nothing, and why. */
export function Refusals({ refusals, onDismiss }: { refusals: readonly Refusal[]; onDismiss: (key: string) => void }) {
  return (
    <ul className="refusals" role="alert" aria-label="Refused">
      {refusals.map(({ key, words }) => (
        <li key={key} className="refusal">
          <span>{words}</span>
          <button type="button" className="quiet" aria-label="Dismiss" onClick={() => onDismiss(key)}>
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}
