import type { ToolName, Tools } from "../../tools/tools.ts";
import { BoardPanel } from "./board-panel.tsx";
import { JobsPanel } from "./jobs-panel.tsx";
import { NotePanel } from "./note-panel.tsx";
import { VotesPanel } from "./votes-panel.tsx";
import "../../styles/tools.css";
import "../../styles/votes.css";
import "../../styles/board.css";
import "../../styles/note.css";
import "../../styles/jobs.css";

/** One of the tools. */
export function ToolPanel({ name, tools }: { name: ToolName; tools: Tools }) {
  switch (name) {
    case "votes":
      return <VotesPanel votes={tools.votes} />;
    case "board":
      return <BoardPanel board={tools.board} />;
    case "note":
      return <NotePanel note={tools.note} />;
    case "jobs":
      return <JobsPanel jobs={tools.jobs} />;
  }
}
