/** The work that every system of this scenario does. */
export const WORK = {
  publishers: 64,
  /** Publishes of each publisher that wait for their acknowledgement. */
  inFlight: 16,
  /** Length of each publish's payload, as JSON. */
  payloadBytes: 128,
} as const;

export const EVENT = "said";

/** The model, and the command of it, that `commands` measures. */
export const MODEL = "notes";
export const COMMAND = "note";

/** What publishers send: events of a channel, or commands of its model. */
export type Sending = "publish" | "command";

/** A payload of `WORK.payloadBytes` bytes of JSON. */
export const PAYLOAD = JSON.stringify({ text: "x".repeat(WORK.payloadBytes - JSON.stringify({ text: "" }).length) });

/** The channel of a publisher: one each, or the same one for all. */
export function channelOf(publisher: number, channels: number, sending: Sending = "publish"): string {
  return `${sending === "publish" ? "load" : "desk"}:${publisher % channels}`;
}
