export { type ChatOptions, chat, typing } from "./chat/chat.ts";
export { type ChatState, type Message, type Reading, unreadOf } from "./chat/message.ts";
export { type ConflictReason, isConflict } from "./conflict.ts";
export { type CounterOptions, type CounterReason, type CounterState, counter } from "./counter/counter.ts";
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
export type { Errand, Telling } from "./errand.ts";
export { evolve, type ModelEvent, ModelStopped, upcastEvent, upcastInput, upcastState } from "./evolution.ts";
export {
  type Activity,
  type ActivityGroup,
  type FeedOptions,
  type FeedState,
  feed,
  grouped,
  unseen,
} from "./feed/feed.ts";
export { tokensAfter } from "./fencing.ts";
export { type InboxOptions, type InboxState, inbox, type Notification, unseenOf } from "./inbox/inbox.ts";
export type { Preferences } from "./inbox/preferences.ts";
export type { Job, JobError, JobInput, Lease, LogLine, Phase } from "./job/job.ts";
export { isOver, leaseOf } from "./job/job.ts";
export { CHECKPOINT_MS, type JobOptions, job } from "./job/jobs.ts";
export { type JobTicks, JobTicksSchema, progressOf, timeLeft } from "./job/progress.ts";
export type { JobState } from "./job/state.ts";
export { type LockOptions, type LockReason, lock } from "./lock/lock.ts";
export type { Asking, Holder, Lock, LockEvents, LockState, Owner, Waiting } from "./lock/state.ts";
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
export type { RecordEvents, RecordReason } from "./records/change.ts";
export type { CollectionInput, Policy } from "./records/collection.ts";
export { type Change, changeOf, type Entry } from "./records/entry.ts";
export type { Create, Move, Patch, Put, Remove, Restore } from "./records/input.ts";
export { type RecordsModel, type RecordsState, records } from "./records/records.ts";
export { all, ordered, where } from "./records/select.ts";
export { inOrder, type Sequence } from "./sequence.ts";
export {
  CHUNK_LENGTH,
  type StreamOptions,
  type StreamParent,
  type StreamState,
  type StreamStatus,
  stream,
  tellingOf,
  textOf,
} from "./stream/stream.ts";
export { Table } from "./table.ts";
export { type TallyOptions, type TallyReason, type TallyState, tally } from "./tally/tally.ts";
export type { VoteState } from "./vote/ballots.ts";
export type { Ballot, Choice, Method, Outcome, Proposal, Result, Tally, Turnout } from "./vote/proposal.ts";
export { type VoteOptions, vote } from "./vote/vote.ts";
