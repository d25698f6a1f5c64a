import type { HTMLAttributes, KeyboardEvent } from "react";
import { useRef, useState } from "react";
import type { Board, CardRow } from "../../board/board.ts";
import { TITLE_LIMIT } from "../../board/board.ts";
import { Icon } from "../icon.tsx";
import { StageMark } from "./stage-mark.tsx";

interface CardProps {
  readonly card: CardRow;
  readonly board: Board;
  /** What the handle hears of the pointer. */
  readonly grip: HTMLAttributes<HTMLElement>;
  readonly onGripKey: (event: KeyboardEvent) => void;
}

/** One card: its tick, its title, which is edited where it stands, and its handle. */
export function Card({ card: { id, title, done, by, stage }, board, grip, onGripKey }: CardProps) {
  /** The title when the reader began to write another. */
  const [base, setBase] = useState<string>();
  const button = useRef<HTMLButtonElement>(null);

  function save(words: string) {
    if (base !== undefined) board.rename(id, words, base);
    setBase(undefined);
  }

  function press(event: KeyboardEvent<HTMLInputElement>) {
    if (event.key === "Enter" && !event.nativeEvent.isComposing) save(event.currentTarget.value);
    else if (event.key === "Escape") {
      event.preventDefault();
      setBase(undefined);
    } else return;
    // The field is gone by then.
    requestAnimationFrame(() => button.current?.focus());
  }

  return (
    <>
      <button
        type="button"
        className="card-grip"
        aria-label={`Move ${title}`}
        aria-keyshortcuts="ArrowUp ArrowDown Home End"
        title="Drag it, or press the arrow keys"
        onKeyDown={onGripKey}
        {...grip}
      >
        <Icon name="grip" />
      </button>
      <input
        type="checkbox"
        className="card-tick"
        checked={done}
        aria-label={`Done: ${title}`}
        onChange={(event) => board.tick(id, event.target.checked)}
      />
      {base === undefined ? (
        <button
          ref={button}
          type="button"
          className="card-title"
          aria-label={`Edit ${title}`}
          title={by}
          dir="auto"
          onClick={() => setBase(title)}
        >
          {title}
        </button>
      ) : (
        <input
          type="text"
          className="card-field"
          defaultValue={title}
          maxLength={TITLE_LIMIT}
          aria-label={`Title of ${base}`}
          autoComplete="off"
          dir="auto"
          // biome-ignore lint/a11y/noAutofocus: one has asked for this field
          autoFocus
          onKeyDown={press}
          onBlur={(event) => save(event.target.value)}
        />
      )}
      <StageMark stage={stage} />
      <button
        type="button"
        className="quiet card-remove"
        aria-label={`Remove ${title}`}
        onClick={() => board.remove(id)}
      >
        <Icon name="close" />
      </button>
    </>
  );
}
