import type { FormEvent, KeyboardEvent } from "react";
import { useId, useState } from "react";
import type { MethodName, ProposalDraft } from "../../votes/proposal-draft.ts";
import { EMPTY_DRAFT, OPTIONS } from "../../votes/proposal-draft.ts";

const METHODS: readonly (readonly [MethodName, string])[] = [
  ["majority", "More than half"],
  ["two-thirds", "Two thirds"],
  ["unanimous", "All agree"],
  ["approval", "Most approvals"],
  ["ranked", "Ranked choice"],
];

const BALLOTS: readonly (readonly [ProposalDraft["ballots"], string])[] = [
  ["open", "Open"],
  ["hidden", "Hidden until it closes"],
  ["secret", "Secret for good"],
];

const CLOSINGS: readonly (readonly [number, string])[] = [
  [0, "When I close it"],
  [1, "In a minute"],
  [5, "In 5 minutes"],
  [60, "In an hour"],
  [1_440, "In a day"],
];

interface ProposalFormProps {
  /** @returns what is wrong with it */
  readonly onPropose: (draft: ProposalDraft) => string | undefined;
  readonly onClose: () => void;
}

/** Puts something to the vote. */
export function ProposalForm({ onPropose, onClose }: ProposalFormProps) {
  const [draft, setDraft] = useState(EMPTY_DRAFT);
  const [problem, setProblem] = useState<string>();
  const id = useId();
  const change = (part: Partial<ProposalDraft>) => setDraft((before) => ({ ...before, ...part }));
  // There is always a blank line for one more.
  const options =
    draft.options.at(-1) === "" || draft.options.length >= OPTIONS ? draft.options : [...draft.options, ""];

  function submit(event: FormEvent) {
    event.preventDefault();
    const wrong = onPropose(draft);
    setProblem(wrong);
    if (wrong === undefined) onClose();
  }

  function press(event: KeyboardEvent) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    onClose();
  }

  return (
    <form className="tool-form" aria-label="New proposal" onSubmit={submit} onKeyDown={press}>
      <label htmlFor={`${id}-title`}>What shall be decided?</label>
      <input
        id={`${id}-title`}
        value={draft.title}
        maxLength={300}
        autoComplete="off"
        // biome-ignore lint/a11y/noAutofocus: one has asked for this form
        autoFocus
        dir="auto"
        onChange={(event) => change({ title: event.target.value })}
      />
      <fieldset>
        <legend>Options</legend>
        {options.map((option, index) => (
          <input
            // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
            key={index}
            value={option}
            maxLength={200}
            autoComplete="off"
            placeholder={index < 2 ? "" : "One more"}
            aria-label={`Option ${index + 1}`}
            dir="auto"
            onChange={(event) => change({ options: options.with(index, event.target.value) })}
          />
        ))}
      </fieldset>
      <Choice label="Decided by" value={draft.method} options={METHODS} onChange={(method) => change({ method })} />
      <Choice label="Ballots" value={draft.ballots} options={BALLOTS} onChange={(ballots) => change({ ballots })} />
      <Choice label="Closes" value={draft.minutes} options={CLOSINGS} onChange={(minutes) => change({ minutes })} />
      <div className="form-row">
        <label htmlFor={`${id}-quorum`}>Least voters</label>
        <input
          id={`${id}-quorum`}
          type="number"
          min={0}
          max={1_000_000}
          value={draft.quorum}
          onChange={(event) => change({ quorum: Math.max(0, Math.floor(event.target.valueAsNumber || 0)) })}
        />
      </div>
      <label className="form-check">
        <input
          type="checkbox"
          checked={draft.changes}
          onChange={(event) => change({ changes: event.target.checked })}
        />
        People may change their mind
      </label>
      <p className="problem" role="alert">
        {problem}
      </p>
      <div className="actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="button button-main">
          Put to the vote
        </button>
      </div>
    </form>
  );
}

interface ChoiceProps<V extends string | number> {
  readonly label: string;
  readonly value: V;
  readonly options: readonly (readonly [value: V, words: string])[];
  readonly onChange: (value: V) => void;
}

function Choice<V extends string | number>({ label, value, options, onChange }: ChoiceProps<V>) {
  const id = useId();
  return (
    <div className="form-row">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        value={value}
        onChange={(event) => {
          const [chosen] = options[event.target.selectedIndex] ?? [value];
          onChange(chosen);
        }}
      >
        {options.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}
