import type { Model } from "@tandem/client";
import type { Choice, Proposal, ReasonOf, VoteState } from "@tandem/model";
import type { Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";
import type { NameOf } from "../people/names.ts";
import type { votes } from "../room-models.ts";
import type { Refusal, Stage } from "../tools/commands.ts";
import { Commands } from "../tools/commands.ts";
import type { ToolStatus } from "../tools/tool-status.ts";
import { readState } from "../tools/tool-status.ts";
import { watch } from "../tools/watch.ts";
import type { ProposalDraft } from "./proposal-draft.ts";
import { proposalOf } from "./proposal-draft.ts";
import type { ProposalRow } from "./proposal-row.ts";
import { proposalRow } from "./proposal-row.ts";
import { voteRefusal } from "./vote-words.ts";

/** What the page shows of a room's votes. The same object until something changes. */
export interface VotesView {
  readonly status: ToolStatus;
  /** The newest first. */
  readonly open: readonly ProposalRow[];
  /** Those that were closed last first. */
  readonly closed: readonly ProposalRow[];
  /** How far an own proposal is that the server has not taken yet. */
  readonly proposing: Stage | undefined;
  readonly refusals: readonly Refusal[];
}

export interface VotesOptions {
  readonly model: Model<typeof votes>;
  readonly self: Store<string | undefined>;
  readonly names: Store<NameOf>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const PROPOSING = "propose";

/** The proposals of a room and the reader's part in them. Knows no page and no React. */
export class Votes implements Store<VotesView> {
  readonly #options: VotesOptions;
  readonly #commands = new Commands<ReasonOf<typeof votes>>(voteRefusal);
  /** What was chosen here on proposals whose ballots nobody may read, their own voter included. */
  readonly #chosen = new Map<string, Choice>();
  readonly #view: Cell<VotesView>;
  readonly #end: () => void;

  constructor(options: VotesOptions) {
    this.#options = options;
    this.#view = new Cell(this.#seen());
    const { model, self, names } = options;
    this.#end = watch([model.state, self, names, this.#commands], () => this.#view.set(this.#seen()));
  }

  get = (): VotesView => this.#view.get();

  subscribe = (listener: () => void): (() => void) => this.#view.subscribe(listener);

  /** Puts something to the vote. @returns what is wrong with it */
  propose(draft: ProposalDraft): string | undefined {
    const proposal = proposalOf(draft, this.#options.now());
    if ("wrong" in proposal) return proposal.wrong;
    const { input } = proposal;
    this.#commands.track(this.#options.model.send("propose", input), {
      about: PROPOSING,
      what: `Your proposal “${input.title}”`,
    });
    return undefined;
  }

  /** Chooses an option; where several may be chosen, takes it back if it was. What was chosen before is replaced. */
  choose(id: string, option: number): void {
    const proposal = this.#proposals()?.get(id);
    const row = this.#row(id);
    if (!proposal || !row?.canVote) return;
    if (!row.several) {
      if (!row.options[option]?.chosen) this.#cast(proposal, option);
      return;
    }
    const before = row.options
      .filter(({ chosen }) => chosen)
      .sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0))
      .map(({ index }) => index);
    const after = before.includes(option) ? before.filter((one) => one !== option) : [...before, option];
    this.#cast(proposal, after.length === 0 ? null : after);
  }

  abstain(id: string): void {
    const proposal = this.#proposals()?.get(id);
    const row = this.#row(id);
    if (proposal && row?.canVote && !row.abstains) this.#cast(proposal, null);
  }

  /** Closes a proposal and counts. */
  close(id: string): void {
    const sent = this.#options.model.send("close", { proposal: id });
    this.#commands.track(sent, { about: id, what: `Closing “${this.#row(id)?.title ?? "it"}”` });
  }

  /** Ends a proposal without a decision. */
  withdraw(id: string): void {
    const sent = this.#options.model.send("withdraw", { proposal: id });
    this.#commands.track(sent, { about: id, what: `Withdrawing “${this.#row(id)?.title ?? "it"}”` });
  }

  dismiss = (key: string): void => this.#commands.dismiss(key);

  get unfinished(): boolean {
    return this.#commands.unfinished;
  }

  end(): void {
    this.#end();
    this.#options.model.close();
  }

  #cast({ id, title, ballots }: Proposal, choice: Choice): void {
    const before = this.#chosen.get(id);
    if (ballots !== "open") this.#chosen.set(id, choice);
    const sent = this.#options.model.send("cast", { proposal: id, choice });
    this.#commands.track(sent, {
      about: id,
      what: `Your vote on “${title}”`,
      refused: () => {
        if (this.#chosen.get(id) !== choice) return;
        if (before === undefined) this.#chosen.delete(id);
        else this.#chosen.set(id, before);
      },
    });
  }

  #proposals(): VoteState["proposals"] | undefined {
    return readState(this.#options.model.state.get()).value?.proposals;
  }

  #row(id: string): ProposalRow | undefined {
    const { open, closed } = this.get();
    return [...open, ...closed].find((row) => row.id === id);
  }

  #seen(): VotesView {
    const { model, self, names } = this.#options;
    const { status, value } = readState(model.state.get());
    const { stages, refusals } = this.#commands.get();
    const user = self.get();
    const proposals = value ? [...value.proposals.values()] : [];
    const row = (proposal: Proposal) =>
      proposalRow(proposal, {
        ballot: value?.ballots.get(`${proposal.id}/${user}`),
        chosen: this.#chosen.get(proposal.id),
        user,
        nameOf: names.get(),
        stage: stages.get(proposal.id),
      });
    const open = proposals.filter(({ result }) => result === null).sort((a, b) => b.at - a.at || compare(b.id, a.id));
    const closed = proposals
      .filter(({ result }) => result !== null)
      .sort((a, b) => (b.result?.at ?? 0) - (a.result?.at ?? 0) || compare(b.id, a.id));
    return {
      status,
      open: open.map(row),
      closed: closed.map(row),
      proposing: stages.get(PROPOSING),
      refusals,
    };
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
