import type { LockView } from "../../note/lock-view.ts";
import type { Note } from "../../note/note.ts";
import { Icon } from "../icon.tsx";
import { timeLeft } from "./countdown-words.ts";
import { StageMark } from "./stage-mark.tsx";
import { useNow } from "./use-now.ts";

/** Who has the note, for how long, who waits for it, and what the reader can do about it. */
export function LockState({ lock, note }: { lock: LockView; note: Note }) {
  return (
    <div className="lock" data-lock={lock.kind}>
      <Icon name="lock" />
      <div className="lock-words">{wordsOf(lock, note)}</div>
    </div>
  );
}

function wordsOf(lock: LockView, note: Note) {
  switch (lock.kind) {
    case "free":
      return (
        <>
          <p role="status">Nobody is writing.</p>
          <button type="button" className="button" onClick={() => note.take()}>
            Write
          </button>
        </>
      );
    case "asking":
      return (
        <p role="status">
          {lock.stage === "queued" ? "Asked for when there is a connection." : "Asking…"}{" "}
          <StageMark stage={lock.stage} />
        </p>
      );
    case "mine":
      return (
        <>
          <p>
            <span role="status">You are writing.</span> <Countdown until={lock.until} />{" "}
            <button type="button" className="link" onClick={() => note.keep()}>
              Keep it
            </button>
          </p>
          {lock.asking.map(({ user, name }) => (
            <p key={user} className="lock-asking" role="status">
              <span>
                <bdi>{name}</bdi> asks for it.
              </span>
              <button type="button" className="button" onClick={() => note.handOver(user)}>
                Save and hand over
              </button>
            </p>
          ))}
          <Line waiting={lock.waiting} />
        </>
      );
    case "held":
      return (
        <>
          <p>
            <span role="status">
              <bdi>{lock.by}</bdi> {lock.elsewhere ? "write in another window." : "is writing."}
            </span>{" "}
            <Countdown until={lock.until} />
          </p>
          {lock.place === undefined ? (
            <button type="button" className="button" onClick={() => note.take()}>
              Ask for it
            </button>
          ) : (
            <p className="lock-asking">
              <span role="status">{lock.place === 1 ? "You are next." : `You are number ${lock.place} in line.`}</span>
              <button type="button" className="button" onClick={() => note.leave()}>
                Leave the line
              </button>
            </p>
          )}
          {lock.waiting.length > 1 && <Line waiting={lock.waiting} />}
        </>
      );
  }
}

function Countdown({ until }: { until: number }) {
  const now = useNow(true);
  const left = until - now;
  return <span className="countdown">{left > 0 ? `${timeLeft(left)} left` : "Time has run out."}</span>;
}

function Line({ waiting }: { waiting: readonly string[] }) {
  if (waiting.length === 0) return null;
  return (
    <p className="lock-line">
      In line: <bdi>{waiting.join(", ")}</bdi>
    </p>
  );
}
