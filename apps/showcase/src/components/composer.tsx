import type { FormEvent, KeyboardEvent, Ref } from "react";
import { useId } from "react";
import { typingWords } from "../people/people-words.ts";
import { TEXT_LIMIT } from "../room/message.ts";
import type { Room } from "../room/room.ts";
import { waitingWords } from "../room/waiting-words.ts";
import { Icon } from "./icon.tsx";
import { useStore } from "./use-store.ts";

interface ComposerProps {
  readonly room: Room;
  /** Is the connection up? */
  readonly connected: boolean;
  /** Own messages and changes that wait for the server; of them, messages. */
  readonly pending: number;
  readonly messages: number;
  readonly onSend: (text: string) => void;
  readonly ref: Ref<HTMLTextAreaElement>;
}

/** From so many letters before the limit on, the number left is shown. */
const SHOW_LEFT = 200;

/** Where messages are written. Enter sends, Shift+Enter makes a new line. */
export function Composer({ room, connected, pending, messages, onSend, ref }: ComposerProps) {
  const text = useStore(room.writing);
  const typing = typingWords(useStore(room.people.typing));
  const hint = useId();
  const left = TEXT_LIMIT - text.trim().length;
  const sendable = text.trim() !== "" && left >= 0;

  function send(event?: FormEvent) {
    event?.preventDefault();
    if (!sendable) return;
    onSend(text);
    write("");
  }

  function write(words: string) {
    room.writing.set(words);
    room.people.typed(words);
  }

  function press(event: KeyboardEvent) {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  }

  return (
    <form className="composer" onSubmit={send}>
      <div className="writing">
        {/* The copy behind the field gives it the height of its text. */}
        <div className="field">
          <textarea
            ref={ref}
            rows={1}
            value={text}
            placeholder={`Write to ${room.id}`}
            aria-label={`Message to ${room.id}`}
            aria-describedby={hint}
            aria-invalid={left < 0}
            autoComplete="off"
            enterKeyHint="send"
            dir="auto"
            onChange={(event) => write(event.target.value)}
            onKeyDown={press}
          />
          <div className="copy" aria-hidden="true">
            {text}{" "}
          </div>
        </div>
        <button type="submit" className="send" aria-disabled={!sendable}>
          <Icon name="send" />
          <span>Send</span>
        </button>
      </div>
      <p className="hint" id={hint}>
        {connected && typing !== "" ? (
          <span className="typing" data-typing>
            {typing}
          </span>
        ) : (
          <span data-pending={pending}>{waiting(connected, pending, messages)}</span>
        )}
        {left <= SHOW_LEFT && (
          <span className={left < 0 ? "left left-over" : "left"}>
            {left < 0 ? `${-left} too many` : `${left} left`}
          </span>
        )}
      </p>
    </form>
  );
}

function waiting(connected: boolean, pending: number, messages: number) {
  if (!connected) {
    if (pending === 0) return "Not connected. You can write: it waits here, and goes out in order.";
    return waitingWords(messages, Math.max(0, pending - messages));
  }
  return (
    <span className="keys">
      <kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> makes a new line
    </span>
  );
}
