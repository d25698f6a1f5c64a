import type { ConflictRow } from "../../board/conflict-row.ts";

interface ConflictNoticeProps {
  readonly conflict: ConflictRow;
  readonly onRestore: () => void;
  readonly onSettle: () => void;
}

/** Both sides of a conflict, and the two ways out. */
export function ConflictNotice({
  conflict: { words, mine, theirs, restore },
  onRestore,
  onSettle,
}: ConflictNoticeProps) {
  return (
    <div className="conflict">
      <p>{words}</p>
      <dl>
        <div>
          <dt>Mine</dt>
          <dd dir="auto">{mine}</dd>
        </div>
        <div>
          <dt>Theirs</dt>
          <dd dir="auto">{theirs}</dd>
        </div>
      </dl>
      <div className="conflict-actions">
        {restore !== undefined && (
          <button type="button" onClick={onRestore}>
            {restore}
          </button>
        )}
        <button type="button" onClick={onSettle}>
          Keep theirs
        </button>
      </div>
    </div>
  );
}
