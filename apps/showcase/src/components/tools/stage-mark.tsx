import type { Stage } from "../../tools/commands.ts";

const WORDS: Record<Stage, string> = {
  queued: "Waits here for a connection",
  sent: "Waits for the server",
};

/** A dot beside what is not final. Always as wide, so that nothing moves when it goes. */
export function StageMark({ stage }: { stage: Stage | undefined }) {
  return (
    <span className="stage" data-stage={stage ?? "final"} title={stage && WORDS[stage]}>
      {stage && <span className="unseen">{WORDS[stage]}</span>}
    </span>
  );
}
