import type { Status } from "@tandem/client";

/** How the connection stands, in words and a colour. */
export interface ConnectionWords {
  readonly tone: "good" | "busy" | "bad" | "off";
  /** Changes with the state only: read out by screen readers. */
  readonly label: string;
  /** What else there is to know. Changes as often as every second: for the eyes. */
  readonly detail: string;
}

/** @param away the person asked to be disconnected @param now milliseconds since 1970 */
export function connectionWords(status: Status, away: boolean, now: number): ConnectionWords {
  switch (status.kind) {
    case "connecting":
      return { tone: "busy", label: "Connecting", detail: attemptWords(status.attempt) };
    case "connected":
      return {
        tone: "good",
        label: status.transport === undefined || status.transport === "websocket" ? "Connected" : "Connected over HTTP",
        detail: status.latency === undefined ? "" : `${Math.max(1, Math.round(status.latency))} ms`,
      };
    case "reconnecting": {
      const seconds = Math.max(0, Math.ceil((status.nextTry - now) / 1_000));
      const when = seconds === 0 ? "trying now" : `in ${seconds} s`;
      return {
        tone: "busy",
        label: "Reconnecting",
        detail: [attemptWords(status.attempt + 1), when].filter(Boolean).join(", "),
      };
    }
    case "offline":
      return away
        ? { tone: "off", label: "Disconnected", detail: "as you asked" }
        : { tone: "bad", label: "Offline", detail: "no network" };
    case "needs-auth":
      return { tone: "bad", label: "Signed out", detail: status.reason };
    case "blocked":
      return { tone: "bad", label: "Refused", detail: status.message };
    case "closed":
      return { tone: "off", label: "Closed", detail: "reload the page" };
  }
}

function attemptWords(attempt: number): string {
  return attempt > 1 ? `attempt ${attempt}` : "";
}
