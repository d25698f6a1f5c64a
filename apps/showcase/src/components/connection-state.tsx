import type { Status } from "@tandem/client";
import { useEffect, useState } from "react";
import { connectionWords } from "../connection/connection-words.ts";

/** How the connection stands: a light, a word, and what else there is to know. */
export function ConnectionState({ status, away }: { status: Status; away: boolean }) {
  const now = useSeconds(status.kind === "reconnecting");
  const { tone, label, detail } = connectionWords(status, away, now);
  return (
    <p
      className={`connection tone-${tone}`}
      data-connection={status.kind}
      data-transport={status.kind === "connected" ? status.transport : undefined}
    >
      <span className="light" aria-hidden="true" />
      <span role="status">{label}</span>
      <span className="detail">{detail}</span>
    </p>
  );
}

/** The time in milliseconds since 1970, four times a second while `running`, so that no second is passed over. */
function useSeconds(running: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!running) return;
    const look = () => setNow(Date.now());
    look();
    const timer = setInterval(look, 250);
    return () => clearInterval(timer);
  }, [running]);
  return now;
}
