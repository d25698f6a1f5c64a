export { type ConflictReason, isConflict } from "./conflict.ts";
export {
  type Context,
  type Decision,
  type Made,
  type Reason,
  Rejection,
  reasons,
  reject,
  type Sealing,
  UNPREDICTABLE,
} from "./decision.ts";
export { evolve, type ModelEvent, ModelStopped, upcastEvent, upcastInput, upcastState } from "./evolution.ts";
export {
  type AnyModel,
  type CommandInput,
  type CommandName,
  defineModel,
  type EventInfo,
  type Fence,
  type Inverse,
  type ModelDefinition,
  type ModelUpcaster,
  type ModelViewer,
  type ReasonOf,
  type StateOf,
} from "./model.ts";
export { Assembly, type Cut, cutPiece, type Piece } from "./pieces.ts";
export { Table } from "./table.ts";
export type { Ballot, Choice, Method, Outcome, Proposal, Result, Tally, Turnout } from "./vote/proposal.ts";
export { type VoteOptions, type VoteState, vote } from "./vote/vote.ts";
