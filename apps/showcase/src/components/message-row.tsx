import { memo } from "react";
import type { Row } from "../room/rows.ts";
import { Avatar } from "./avatar.tsx";
import { DeliveryMark } from "./delivery-mark.tsx";
import { clockTime, dayName, fullTime } from "./time-words.ts";
import { Trouble } from "./trouble.tsx";

interface MessageRowProps extends Omit<Row, "key"> {
  /** The message's key, under a name that React does not take for itself. */
  readonly id: string;
  /** Names a day that is no more than a week ago by its distance from this one. */
  readonly today: number;
  readonly onSendAgain: (id: string) => void;
  readonly onEdit: (id: string) => void;
  readonly onRemove: (id: string) => void;
}

/** One message. Its text is shown as text: nothing in it becomes a link or markup. */
export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { name, text, time, author, own, delivery, opensDay, opensGroup, closesGroup, today } = props;
  const kind = `message ${own ? "message-own" : "message-other"}${closesGroup ? " message-last" : ""}`;
  return (
    <>
      {opensDay && (
        <h2 className="day">
          <span>{dayName(time, today)}</span>
        </h2>
      )}
      <article className={kind} data-message data-own={own}>
        {!own && closesGroup && <Avatar name={name} author={author} />}
        {!own && opensGroup && (
          <h3 className="author">
            <bdi>{name}</bdi>
          </h3>
        )}
        {own && <span className="unseen">You:</span>}
        <div className="bubble" dir="auto">
          {text === undefined ? <em>This message was erased.</em> : <span className="text">{text}</span>}
          <span className="meta">
            <time dateTime={new Date(time).toISOString()} title={fullTime(time)}>
              {clockTime(time)}
            </time>
            {own && <DeliveryMark delivery={delivery} />}
          </span>
        </div>
        <Trouble {...props} />
      </article>
    </>
  );
});
