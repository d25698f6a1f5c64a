import { useId } from "react";

/** Takes the connection away and gives it back, so that the queue can be seen at work. */
export function AwaySwitch({ away, onChange }: { away: boolean; onChange: (away: boolean) => void }) {
  const label = useId();
  return (
    <div className="away">
      <span id={label}>Disconnect me</span>
      <button type="button" role="switch" aria-checked={away} aria-labelledby={label} onClick={() => onChange(!away)}>
        <span className="knob" />
      </button>
    </div>
  );
}
