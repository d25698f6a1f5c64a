import type { Board } from "../board/board.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { Note } from "../note/note.ts";
import type { Votes } from "../votes/votes.ts";

/** What the people of a room share beside its messages. */
export interface Tools {
  readonly votes: Votes;
  readonly board: Board;
  readonly note: Note;
  readonly jobs: Jobs;
  /** Are there own commands that may still take effect? */
  readonly unfinished: boolean;
  close(): void;
}

/** The tools by their names, in the order in which they stand. */
export const TOOL_NAMES = ["votes", "board", "note", "jobs"] as const;

export type ToolName = (typeof TOOL_NAMES)[number];
