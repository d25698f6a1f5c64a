import type { Model } from "@tandem/client";
import type { ReasonOf } from "@tandem/model";
import type { Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";
import type { NameOf } from "../people/names.ts";
import type { locks, note } from "../room-models.ts";
import { LOCK_MS, NOTE_LOCK } from "../room-models.ts";
import type { Refusal, Stage } from "../tools/commands.ts";
import { Commands } from "../tools/commands.ts";
import type { ToolStatus } from "../tools/tool-status.ts";
import { readState } from "../tools/tool-status.ts";
import { watch } from "../tools/watch.ts";
import type { LockView } from "./lock-view.ts";
import { lockView } from "./lock-view.ts";

/** What the page shows of a room's note. The same object until something changes. */
export interface NoteView {
  readonly status: ToolStatus;
  readonly text: string;
  /** Who wrote it; undefined: nobody has. */
  readonly by: string | undefined;
  /** When, in milliseconds since 1970. */
  readonly at: number | undefined;
  readonly lock: LockView;
  /** The reader has written what is not in the note. */
  readonly changed: boolean;
  /** How far the saving is. */
  readonly saving: Stage | undefined;
  readonly refusals: readonly Refusal[];
}

export interface NoteOptions {
  readonly note: Model<typeof note>;
  readonly locks: Model<typeof locks>;
  readonly self: Store<string | undefined>;
  readonly names: Store<NameOf>;
  /** Names this window among those of its reader. */
  readonly owner: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const LOCK = "lock";
const TEXT = "text";

/** A text that is written by who holds its lock, and the reader's turn with it. Knows no page and no React. */
export class Note implements Store<NoteView> {
  /** What the reader writes. */
  readonly writing = new Cell("");
  readonly #options: NoteOptions;
  readonly #asking = new Commands<ReasonOf<typeof locks>>(lockRefusal);
  readonly #saving = new Commands<ReasonOf<typeof note>>(() => "The note does not take it.");
  readonly #view: Cell<NoteView>;
  readonly #end: () => void;
  /** Has the reader written something that is not on its way? */
  #changed = false;
  #renewed = 0;
  /** The last thing that was said of the lock: a renewal need not be said again before it is heard. */
  #renewing = false;

  constructor(options: NoteOptions) {
    this.#options = options;
    this.#view = new Cell(this.#seen());
    const { note, locks, self, names } = options;
    const stores = [note.state, locks.state, self, names, this.#asking, this.#saving];
    this.#end = watch(stores, () => this.#show());
    this.#show();
  }

  get = (): NoteView => this.#view.get();

  subscribe = (listener: () => void): (() => void) => this.#view.subscribe(listener);

  /** Takes the note, to write; where another has it, asks for it and waits in line. */
  take(): void {
    const { lock } = this.get();
    const acquired = this.#options.locks.send("acquire", { lock: NOTE_LOCK, owner: this.#options.owner });
    this.#asking.track(acquired, { about: LOCK, what: "Taking the note" });
    // The holder sees it. That it is free by then is as well.
    if (lock.kind === "held") this.#options.locks.send("request", { lock: NOTE_LOCK });
  }

  /** Waits in line no longer. */
  leave(): void {
    const sent = this.#options.locks.send("leave", { lock: NOTE_LOCK, owner: this.#options.owner });
    this.#asking.track(sent, { about: LOCK, what: "Leaving the line" });
  }

  /** Keeps the note for another while. */
  keep(): void {
    if (this.get().lock.kind !== "mine" || this.#renewing) return;
    this.#renewed = this.#options.now();
    this.#renewing = true;
    const sent = this.#options.locks.send("renew", { lock: NOTE_LOCK, owner: this.#options.owner });
    // Where it came too late the lock's own state says so.
    void sent.settled.then(() => {
      this.#renewing = false;
    });
  }

  write(text: string): void {
    this.writing.set(text);
    this.#changed = true;
    if (this.#options.now() - this.#renewed > LOCK_MS / 3) this.keep();
    this.#show();
  }

  /** Puts what was written into the note, under the lock as it is held here. */
  save(): void {
    const { lock, text } = this.get();
    if (lock.kind !== "mine") return;
    const words = this.writing.get();
    this.#changed = false;
    if (words !== text) {
      const fence = { name: `locks/${NOTE_LOCK}`, token: lock.token };
      const sent = this.#options.note.send("write", { text: words }, { fence });
      this.#saving.track(sent, {
        about: TEXT,
        what: "What you wrote",
        // It is still here, and can be saved again.
        refused: () => {
          this.#changed = this.writing.get() === words || this.#changed;
        },
      });
    }
    this.#show();
  }

  /** Saves, and lets the note go to who waits for it. */
  finish(): void {
    if (this.get().lock.kind !== "mine") return;
    this.save();
    const sent = this.#options.locks.send("release", { lock: NOTE_LOCK, owner: this.#options.owner });
    this.#asking.track(sent, { about: LOCK, what: "Letting go of the note" });
  }

  /** Saves, and gives the note to one who asks for it. */
  handOver(to: string | null): void {
    if (this.get().lock.kind !== "mine") return;
    this.save();
    const sent = this.#options.locks.send("handOver", { lock: NOTE_LOCK, owner: this.#options.owner, to });
    this.#asking.track(sent, { about: LOCK, what: "Handing over the note" });
  }

  /** Forgets what was written and not saved. */
  discard(): void {
    this.#changed = false;
    this.writing.set(this.get().text);
    this.#show();
  }

  dismiss = (key: string): void => {
    this.#asking.dismiss(key);
    this.#saving.dismiss(key);
  };

  get unfinished(): boolean {
    return this.#asking.unfinished || this.#saving.unfinished;
  }

  end(): void {
    this.#end();
    this.#options.note.close();
    this.#options.locks.close();
  }

  #show(): void {
    const before = this.#view.get();
    const view = this.#seen();
    // One writes on from what stands there, or from what one had written and could not save.
    const opens = before.lock.kind !== "mine" && view.lock.kind === "mine";
    if (opens && !view.changed && view.saving === undefined) this.writing.set(view.text);
    this.#view.set(view);
  }

  #seen(): NoteView {
    const { note, locks, self, names, owner } = this.#options;
    const state = readState(note.state.get());
    const held = readState(locks.state.get());
    const asking = this.#asking.get();
    const saving = this.#saving.get();
    const nameOf = names.get();
    const { by, at, text = "" } = state.value ?? {};
    return {
      status: state.status.kind === "ready" ? held.status : state.status,
      text,
      by: at === undefined ? undefined : nameOf(by),
      at,
      lock: lockView(held.value?.locks.get(NOTE_LOCK), {
        user: self.get(),
        owner,
        nameOf,
        stage: asking.stages.get(LOCK),
      }),
      changed: this.#changed,
      saving: saving.stages.get(TEXT),
      refusals: [...asking.refusals, ...saving.refusals],
    };
  }
}

function lockRefusal(reason: ReasonOf<typeof locks>): string {
  switch (reason.code) {
    case "held":
      return "Somebody else has it.";
    case "not-held":
      return "You did not have it any more.";
    case "full":
      return "Too many wait for it.";
    case "free":
      return "Nobody has it.";
  }
}
