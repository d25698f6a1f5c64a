import type { JobRow } from "../../jobs/job-row.ts";
import type { Jobs } from "../../jobs/jobs.ts";
import { useStore } from "../use-store.ts";
import { Refusals } from "./refusals.tsx";
import { StageMark } from "./stage-mark.tsx";
import { ToolState } from "./tool-state.tsx";

/** What the server's worker does for the room, how far it is, and what came of it. */
export function JobsPanel({ jobs }: { jobs: Jobs }) {
  const { status, rows, starting, refusals } = useStore(jobs);
  return (
    <div className="tool-body">
      <Refusals refusals={refusals} onDismiss={jobs.dismiss} />
      <div className="tool-actions">
        <button type="button" className="button button-main" onClick={() => jobs.countWords()}>
          Count the words
        </button>
        <StageMark stage={starting} />
      </div>
      <ToolState status={status}>
        {rows.length === 0 && (
          <p className="tool-words">
            The server goes through all messages of this room, page by page. Everybody sees how far it is, and may
            cancel it.
          </p>
        )}
        <ol className="jobs" aria-label="Jobs">
          {rows.map((row) => (
            <li key={row.id}>
              <Job row={row} onCancel={() => jobs.cancel(row.id)} />
            </li>
          ))}
        </ol>
      </ToolState>
    </div>
  );
}

function Job({
  row: { title, by, kind, words, progress, isOver, canCancel, stage },
  onCancel,
}: {
  row: JobRow;
  onCancel: () => void;
}) {
  return (
    <article className="job" data-job={kind} aria-label={title}>
      <header className="proposal-head">
        <h3>{title}</h3>
        <StageMark stage={stage} />
      </header>
      <p className="proposal-rules">
        <bdi>{by}</bdi> asked for it
      </p>
      {!isOver && <progress value={progress} max={1} aria-label={`${title}: progress`} />}
      <p className="job-words">{words}</p>
      {canCancel && (
        <div className="proposal-actions">
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        </div>
      )}
    </article>
  );
}
