import type { Channel, PublicationStatus } from "@tandem/client";
import type app from "../../tandem.config.ts";
import type { ChannelPort } from "./channel-port.ts";
import { mapStore } from "./map-store.ts";
import type { Delivery } from "./message.ts";

/** A room's channel in the client. */
export function clientChannel(channel: Channel<typeof app, "room">): ChannelPort {
  return {
    publish(data) {
      const publication = channel.publish("message", data);
      return { id: () => publication.id, delivery: mapStore(publication.status, deliveryOf) };
    },
    subscribe({ last, onEvents, onReset, onError }) {
      const subscription = channel.subscribe({
        from: { last },
        onEvents,
        onReset: (_reason, position) => onReset(position.offset),
        onError: (error) => onError(error.message),
      });
      return {
        state: subscription.state,
        reached: () => subscription.position ?? { epoch: "", offset: 0 },
        unsubscribe: () => subscription.unsubscribe(),
      };
    },
    async history({ before, limit }) {
      const { events, next, epoch } = await channel.history({ before, limit });
      return { events, more: next !== undefined, epoch };
    },
  };
}

function deliveryOf(status: PublicationStatus): Delivery {
  switch (status.kind) {
    case "queued":
    case "sent":
    case "durable":
      return { kind: status.kind };
    case "rejected": {
      const { code, message, retryable } = status.error;
      // A full queue empties by itself: the table calls it final because the client does not try by itself.
      return { kind: "rejected", code, reason: message, retryable: retryable || code === "queue-full" };
    }
    case "unknown":
      return { kind: "unknown", reason: status.error.message };
  }
}
