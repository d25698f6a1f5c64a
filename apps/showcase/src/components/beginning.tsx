import type { Past } from "../room/timeline.ts";

interface BeginningProps {
  readonly room: string;
  readonly past: Past;
  readonly onRetry: () => void;
}

/** Above the oldest message held: what is before it. Always as high, so that nothing moves when the words change. */
export function Beginning({ room, past, onRetry }: BeginningProps) {
  return <div className="beginning">{wordsOf(room, past, onRetry)}</div>;
}

function wordsOf(room: string, past: Past, onRetry: () => void) {
  switch (past.kind) {
    case "opening":
    case "more":
      return null;
    case "loading":
      return <p className="loading">Fetching older messages…</p>;
    case "failed":
      return (
        <p>
          Older messages could not be fetched. {past.reason}{" "}
          <button type="button" className="link" onClick={onRetry}>
            Try again
          </button>
        </p>
      );
    case "start":
      return past.complete ? (
        <p>
          This is where <strong>{room}</strong> begins.
        </p>
      ) : (
        <p>What was said before is no longer kept.</p>
      );
  }
}
