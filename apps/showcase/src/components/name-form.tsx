import type { FormEvent } from "react";
import { useId, useState } from "react";
import { NAME_LIMIT } from "../person/person.ts";

interface NameFormProps {
  readonly question: string;
  readonly value: string;
  readonly action: string;
  readonly longest?: number;
  /** Told what was entered. @returns what is wrong with it, if anything */
  readonly onAnswer: (answer: string) => string | undefined;
  readonly onCancel?: () => void;
}

/** One question with one line for the answer. */
export function NameForm({ question, value, action, longest = NAME_LIMIT, onAnswer, onCancel }: NameFormProps) {
  const [answer, setAnswer] = useState(value);
  const [problem, setProblem] = useState<string>();
  const field = useId();
  function submit(event: FormEvent) {
    event.preventDefault();
    setProblem(answer.trim() === "" ? "Please enter a name." : onAnswer(answer));
  }
  return (
    <form className="name-form" onSubmit={submit}>
      <label htmlFor={field}>{question}</label>
      <input
        id={field}
        value={answer}
        maxLength={longest}
        autoComplete="off"
        // biome-ignore lint/a11y/noAutofocus: the question is the only thing on its card
        autoFocus
        onFocus={(event) => event.target.select()}
        onChange={(event) => setAnswer(event.target.value)}
        aria-describedby={`${field}-problem`}
        aria-invalid={problem !== undefined}
      />
      <p className="problem" id={`${field}-problem`} role="alert">
        {problem}
      </p>
      <div className="actions">
        {onCancel && (
          <button type="button" className="button" onClick={onCancel}>
            Cancel
          </button>
        )}
        <button type="submit" className="button button-main">
          {action}
        </button>
      </div>
    </form>
  );
}
