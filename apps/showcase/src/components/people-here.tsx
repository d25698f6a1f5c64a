import { useState } from "react";
import type { People, PeopleView, PersonHere } from "../people/people.ts";
import { countWords, personWords } from "../people/people-words.ts";
import { Ask } from "./ask.tsx";
import { Avatar } from "./avatar.tsx";
import { useStore } from "./use-store.ts";

/** More people than these are counted beside the button; the list has them all. */
const SHOWN = 4;

/** Who is in the room: the first few as they are, how many there are, and on a press everybody by name. */
export function PeopleHere({ people }: { people: People }) {
  const view = useStore(people);
  const [open, setOpen] = useState(false);
  if (view.people.length === 0) return null;
  const others = view.people.filter(({ self }) => !self);
  const more = view.count - 1 - Math.min(SHOWN, others.length);
  return (
    <>
      <button
        type="button"
        className="quiet people"
        data-people={view.status}
        onClick={() => setOpen(true)}
        title="Who is here"
      >
        <span className="faces" aria-hidden="true">
          {others.slice(0, SHOWN).map((person) => (
            <Face key={person.user} person={person} />
          ))}
          {more > 0 && <span className="avatar more">+{more}</span>}
        </span>
        <span className="people-count">{countWords(view)}</span>
        <span className="unseen">Who is here</span>
      </button>
      {open && (
        <Ask label="Who is here" onClose={() => setOpen(false)}>
          <PeopleList view={view} onClose={() => setOpen(false)} />
        </Ask>
      )}
    </>
  );
}

/** An avatar with a mark whose shape tells how the person is there. */
function Face({ person }: { person: PersonHere }) {
  return (
    <span className={`face face-${person.status}`} title={`${person.name}: ${personWords(person)}`}>
      <Avatar name={person.name} author={person.user} />
      <span className="face-mark" />
    </span>
  );
}

function PeopleList({ view: { people, count, status }, onClose }: { view: PeopleView; onClose: () => void }) {
  const heading = status === "live" ? "Who is here" : "Who was here when the connection was lost";
  return (
    <div className="people-card">
      <h2>{heading}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <ul className="people-list" tabIndex={0} aria-label={heading}>
        {people.map((person) => (
          <li key={person.user} data-person={person.status} data-devices={person.devices}>
            <Face person={person} />
            <span className="person-name">
              <bdi>{person.name}</bdi>
              {person.self && " (you)"}
            </span>
            <span className="person-status">{personWords(person)}</span>
          </li>
        ))}
      </ul>
      {count > people.length && <p>And {count - people.length} more.</p>}
      <div className="actions">
        <button type="button" className="button" onClick={onClose}>
          Close
        </button>
      </div>
    </div>
  );
}
