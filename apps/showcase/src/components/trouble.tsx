import type { Row } from "../room/rows.ts";

interface TroubleProps extends Pick<Row, "delivery"> {
  /** The message's key, under a name that React does not take for itself. */
  readonly id: string;
  readonly onSendAgain: (id: string) => void;
  readonly onEdit: (id: string) => void;
  readonly onRemove: (id: string) => void;
}

/** Under a message that was refused, or of which nobody knows: why, and what can be done. */
export function Trouble({ id, delivery, onSendAgain, onEdit, onRemove }: TroubleProps) {
  if (delivery.kind !== "rejected" && delivery.kind !== "unknown") return null;
  const rejected = delivery.kind === "rejected";
  return (
    <div className={`trouble trouble-${delivery.kind}`}>
      <p>
        {rejected
          ? `Not sent. ${delivery.reason}`
          : `Nobody can tell whether this was stored. ${delivery.reason} If you send it again, it may stand here twice.`}
      </p>
      {(!rejected || delivery.retryable) && (
        <button type="button" onClick={() => onSendAgain(id)}>
          Send again
        </button>
      )}
      {rejected && (
        <button type="button" onClick={() => onEdit(id)}>
          Edit
        </button>
      )}
      <button type="button" onClick={() => onRemove(id)}>
        Remove
      </button>
    </div>
  );
}
