import { Icon } from "./icon.tsx";

/** Over the end of the list, while the reader is elsewhere in it: the way to the newest message. */
export function NewMessages({ unread, onJump }: { unread: number; onJump: () => void }) {
  const words = unread === 0 ? "Newest messages" : unread === 1 ? "1 new message" : `${unread} new messages`;
  return (
    <button type="button" className={unread === 0 ? "pill" : "pill pill-unread"} onClick={onJump}>
      {words}
      <Icon name="down" />
    </button>
  );
}
