import type { ReactNode } from "react";
import { useLayoutEffect, useRef } from "react";

/** A question over the page. Escape and a press beside it close it; the browser keeps the focus inside. */
export function Ask({ label, onClose, children }: { label: string; onClose: () => void; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before its removal, so that closing gives the focus back to where it was.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the key for it is Escape, which the dialog hears by itself
    <dialog
      ref={dialog}
      className="ask"
      aria-label={label}
      onCancel={(event) => {
        // Closed by its removal, in this turn: what is pressed next finds the page as it will stay.
        event.preventDefault();
        onClose();
      }}
      onClose={() => {
        // The event comes late: the dialog may be open again.
        if (!dialog.current?.open) onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className="ask-card">{children}</div>
    </dialog>
  );
}
