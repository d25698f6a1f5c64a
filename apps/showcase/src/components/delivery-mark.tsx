import type { Delivery } from "../room/message.ts";
import { Icon } from "./icon.tsx";

const WORDS: Record<Delivery["kind"], string> = {
  queued: "Queued: waits here to be sent",
  sent: "Sent: waits for the server to store it",
  durable: "Durable: stored by the server",
  rejected: "Rejected: not stored",
  unknown: "Unknown: may or may not have been stored",
};

/** How far an own message has come, as a small drawing with the words for screen readers and the pointer. */
export function DeliveryMark({ delivery }: { delivery: Delivery }) {
  const words = WORDS[delivery.kind];
  return (
    <span className={`mark mark-${delivery.kind}`} title={words} data-delivery={delivery.kind}>
      <Icon name={delivery.kind} />
      <span className="unseen">{words}</span>
    </span>
  );
}
