import { useState } from "react";
import type { Votes } from "../../votes/votes.ts";
import { Icon } from "../icon.tsx";
import { useStore } from "../use-store.ts";
import { Proposal } from "./proposal.tsx";
import { ProposalForm } from "./proposal-form.tsx";
import { Refusals } from "./refusals.tsx";
import { StageMark } from "./stage-mark.tsx";
import { ToolState } from "./tool-state.tsx";

/** What is put to the vote, and what became of it. */
export function VotesPanel({ votes }: { votes: Votes }) {
  const { status, open, closed, proposing, refusals } = useStore(votes);
  const [writing, setWriting] = useState(false);
  return (
    <div className="tool-body">
      <Refusals refusals={refusals} onDismiss={votes.dismiss} />
      {writing ? (
        <ProposalForm onPropose={(draft) => votes.propose(draft)} onClose={() => setWriting(false)} />
      ) : (
        <div className="tool-actions">
          <button type="button" className="button button-main" onClick={() => setWriting(true)}>
            <Icon name="add" />
            Propose
          </button>
          <StageMark stage={proposing} />
        </div>
      )}
      <ToolState status={status}>
        {open.length + closed.length === 0 && !writing && (
          <p className="tool-words">
            Nothing has been put to the vote here. Propose something, and everybody in the room can vote on it.
          </p>
        )}
        <ol className="proposals" aria-label="Open proposals">
          {open.map((row) => (
            <li key={row.id}>
              <Proposal row={row} votes={votes} />
            </li>
          ))}
        </ol>
        {closed.length > 0 && (
          <>
            <h3 className="tool-part">Closed</h3>
            <ol className="proposals" aria-label="Closed proposals">
              {closed.map((row) => (
                <li key={row.id}>
                  <Proposal row={row} votes={votes} />
                </li>
              ))}
            </ol>
          </>
        )}
      </ToolState>
    </div>
  );
}
