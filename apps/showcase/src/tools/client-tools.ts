import type { Client } from "@tandem/client";
import { model } from "@tandem/client";
import type { Store } from "@tandem/runtime";
import { systemRuntime } from "@tandem/runtime";
import type app from "../../tandem.config.ts";
import { Board } from "../board/board.ts";
import { Jobs } from "../jobs/jobs.ts";
import { Note } from "../note/note.ts";
import type { NameOf } from "../people/names.ts";
import { board, DESK, jobs, locks, note, votes } from "../room-models.ts";
import { Votes } from "../votes/votes.ts";
import type { Tools } from "./tools.ts";

export interface ClientToolsOptions {
  readonly client: Client<typeof app>;
  /** The room's id. */
  readonly room: string;
  readonly self: Store<string | undefined>;
  readonly names: Store<NameOf>;
  /** Names this window among those of its reader. */
  readonly window: string;
}

/** The tools of a room over the models of its channel in the client. Loaded when they are first asked for: the models come with them. */
export function clientTools({ client, room, self, names, window: owner }: ClientToolsOptions): Tools {
  const now = Date.now;
  const channel = client.channel("room", room);
  const tools = {
    votes: new Votes({ model: model(channel, "votes", votes), self, names, now }),
    board: new Board({ model: model(channel, "board", board), names, newId: systemRuntime().randomId }),
    note: new Note({
      note: model(channel, "note", note),
      locks: model(channel, "locks", locks),
      self,
      names,
      owner,
      now,
    }),
    jobs: new Jobs({ model: model(client.channel("desk", DESK), "jobs", jobs), room, names }),
  };
  return {
    ...tools,
    get unfinished() {
      return Object.values(tools).some((tool) => tool.unfinished);
    },
    close() {
      for (const tool of Object.values(tools)) tool.end();
    },
  };
}
