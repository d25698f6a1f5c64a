import type { CSSProperties } from "react";
import { useId } from "react";
import type { OptionRow, ProposalRow } from "../../votes/proposal-row.ts";
import type { Votes } from "../../votes/votes.ts";
import { timeLeft } from "./countdown-words.ts";
import { StageMark } from "./stage-mark.tsx";
import { useNow } from "./use-now.ts";

/** One proposal: its options with their votes, and what the reader may do. Its texts are shown as texts. */
export function Proposal({ row, votes }: { row: ProposalRow; votes: Votes }) {
  const { id, title, by, rules, options, turnout, outcome, rounds, deadline, canVote, canClose, mine, stage } = row;
  const heading = useId();
  return (
    <article className="proposal" aria-labelledby={heading} data-proposal={outcome?.kind ?? "open"}>
      <header className="proposal-head">
        <h3 id={heading} dir="auto">
          {title}
        </h3>
        <StageMark stage={stage} />
      </header>
      <p className="proposal-rules">
        <bdi>{by}</bdi> · {rules.join(" · ")}
      </p>
      {outcome && <p className={`outcome outcome-${outcome.kind}`}>{outcome.words}</p>}
      <ul className="options">
        {options.map((option) => (
          <li key={option.index}>
            <Option option={option} canVote={canVote} onChoose={() => votes.choose(id, option.index)} />
          </li>
        ))}
      </ul>
      {rounds.length > 0 && (
        <p className="proposal-rules">
          {rounds.map((tally, index) => `Round ${index + 1}: ${tally.join(", ")}`).join(" · ")}
        </p>
      )}
      <p className="proposal-foot">
        <span data-turnout>{turnout}</span>
        <span>{mine}</span>
        {deadline !== undefined && <Deadline deadline={deadline} />}
      </p>
      {(canVote || canClose) && (
        <div className="proposal-actions">
          {canVote && (
            <button type="button" aria-pressed={row.abstains} onClick={() => votes.abstain(id)}>
              Abstain
            </button>
          )}
          {canClose && (
            <>
              <button type="button" onClick={() => votes.withdraw(id)}>
                Withdraw
              </button>
              <button type="button" onClick={() => votes.close(id)}>
                Close and count
              </button>
            </>
          )}
        </div>
      )}
    </article>
  );
}

interface OptionProps {
  readonly option: OptionRow;
  readonly canVote: boolean;
  readonly onChoose: () => void;
}

function Option({ option: { text, votes, share, chosen, rank, won }, canVote, onChoose }: OptionProps) {
  const count = votes === undefined ? "" : `${votes}`;
  const inside = (
    <>
      <span className="option-mark" aria-hidden="true">
        {rank}
      </span>
      <span className="option-text" dir="auto">
        {text}
      </span>
      {rank !== undefined && <span className="unseen">, your choice number {rank}</span>}
      {won && <span className="unseen">, won</span>}
      <span className="option-votes" data-votes={count}>
        {count}
        {votes !== undefined && <span className="unseen">{votes === 1 ? " vote" : " votes"}</span>}
      </span>
    </>
  );
  const look = {
    className: `option${won ? " option-won" : ""}`,
    style: { "--share": share } as CSSProperties,
  };
  if (!canVote) {
    return (
      <div {...look} data-chosen={chosen}>
        {inside}
        {chosen && <span className="unseen">, your choice</span>}
      </div>
    );
  }
  return (
    <button type="button" {...look} aria-pressed={chosen} data-chosen={chosen} onClick={onChoose}>
      {inside}
    </button>
  );
}

function Deadline({ deadline }: { deadline: number }) {
  const now = useNow(true);
  return <span className="countdown">closes in {timeLeft(deadline - now)}</span>;
}
