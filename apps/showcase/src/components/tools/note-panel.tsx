import { useId } from "react";
import type { Note, NoteView } from "../../note/note.ts";
import { NOTE_LIMIT } from "../../room-models.ts";
import { clockTime, fullTime } from "../time-words.ts";
import { useStore } from "../use-store.ts";
import { LockState } from "./lock-state.tsx";
import { Refusals } from "./refusals.tsx";
import { StageMark } from "./stage-mark.tsx";
import { ToolState } from "./tool-state.tsx";

/** The note of the room, and whose turn it is to write in it. */
export function NotePanel({ note }: { note: Note }) {
  const view = useStore(note);
  const { status, lock, refusals } = view;
  return (
    <div className="tool-body">
      <Refusals refusals={refusals} onDismiss={note.dismiss} />
      <ToolState status={status}>
        <LockState lock={lock} note={note} />
        {lock.kind === "mine" ? (
          <NoteField note={note} view={view} />
        ) : (
          <>
            <NoteText view={view} />
            {view.changed && <Unsaved note={note} />}
          </>
        )}
      </ToolState>
    </div>
  );
}

function NoteText({ view: { text, by, at, saving } }: { view: NoteView }) {
  return (
    <section className="note-text" aria-label="The note">
      {text === "" ? (
        <p className="note-empty">Nothing is written here yet.</p>
      ) : (
        <p className="note-words" dir="auto">
          {text}
        </p>
      )}
      <p className="note-foot">
        {by !== undefined && at !== undefined && (
          <span>
            <bdi>{by}</bdi> wrote this at{" "}
            <time dateTime={new Date(at).toISOString()} title={fullTime(at)}>
              {clockTime(at)}
            </time>
          </span>
        )}
        <StageMark stage={saving} />
      </p>
    </section>
  );
}

function NoteField({ note, view: { changed, saving } }: { note: Note; view: NoteView }) {
  const writing = useStore(note.writing);
  return (
    <div className="note-field">
      <textarea
        value={writing}
        maxLength={NOTE_LIMIT}
        aria-label="Write the note"
        dir="auto"
        rows={8}
        // biome-ignore lint/a11y/noAutofocus: one has asked for it
        autoFocus
        onChange={(event) => note.write(event.target.value)}
      />
      <div className="tool-actions">
        <button type="button" className="button button-main" onClick={() => note.finish()}>
          {changed ? "Save and let go" : "Let go"}
        </button>
        <button type="button" className="button" aria-disabled={!changed} onClick={() => note.save()}>
          Save
        </button>
        <StageMark stage={saving} />
      </div>
    </div>
  );
}

/** What was written and did not get into the note. */
function Unsaved({ note }: { note: Note }) {
  const writing = useStore(note.writing);
  const heading = useId();
  return (
    <section className="unsaved" aria-labelledby={heading}>
      <h3 id={heading}>Not saved: you wrote</h3>
      <p className="note-words" dir="auto">
        {writing}
      </p>
      <p>Take the note again to save it.</p>
      <div className="conflict-actions">
        <button type="button" onClick={() => note.discard()}>
          Forget it
        </button>
      </div>
    </section>
  );
}
