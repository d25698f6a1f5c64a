import type { Conflict, Model, ModelState, Sent, SentStatus } from "@tandem/client";
import { TandemError } from "@tandem/client";
import type { AnyModel, ConflictReason, Context, Made, ReasonOf, StateOf } from "@tandem/model";
import { evolve, isConflict, Rejection, UNPREDICTABLE } from "@tandem/model";
import type { Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";

interface Waiting {
  readonly command: string;
  readonly input: unknown;
  readonly id: string;
  readonly fence: { readonly token: number } | undefined;
  readonly status: Cell<SentStatus>;
}

const POSITION = { epoch: "e", offset: 1, tag: "" };
const SEALING = {
  create: () => {},
  seal: (_: string, value: unknown) => JSON.stringify(value),
  open: (_: string, sealed: string): unknown => JSON.parse(sealed),
  destroy: () => {},
};

/** A model as the client has it, whose server a test plays: what `me` sends takes effect at once and waits until the test answers it. */
export class FakeModel<M extends AnyModel> {
  readonly state: Cell<ModelState>;
  readonly pending = new Cell(0);
  readonly conflicts = new Cell<readonly Conflict[]>([]);
  readonly canUndo = new Cell(false);
  readonly canRedo = new Cell(false);
  /** Milliseconds since 1970. */
  time = 1_000;
  readonly #model: M;
  #confirmed: object;
  #waiting: Waiting[] = [];
  #events = 0;
  #commands = 0;

  constructor(model: M) {
    this.#model = model;
    this.#confirmed = model.initial();
    this.state = new Cell<ModelState>({ kind: "ready", value: this.#confirmed, position: POSITION });
  }

  /** The same, with the types of the model. */
  get port(): Model<M> {
    return this as unknown as Model<M>;
  }

  send(command: string, input: unknown, { fence }: { fence?: { readonly token: number } } = {}): Sent {
    const waiting: Waiting = {
      command,
      input,
      id: `c${++this.#commands}`,
      fence,
      status: new Cell<SentStatus>({ kind: "pending", stage: "queued" }),
    };
    this.#waiting.push(waiting);
    this.#show();
    const settled = new Promise<never>((resolve) => {
      waiting.status.subscribe(() => waiting.status.get().kind !== "pending" && resolve(waiting.status.get() as never));
    });
    return { status: waiting.status as Store<SentStatus>, settled };
  }

  undo(): undefined {}

  redo(): undefined {}

  close(): void {}

  /** What waits, in order: names of commands. */
  get sent(): string[] {
    return this.#waiting.map(({ command }) => command);
  }

  /** The fencing token of the command that waits longest. */
  get fence(): number | undefined {
    return this.#waiting[0]?.fence?.token;
  }

  /** The commands that wait are on their way. */
  leave(): void {
    for (const { status } of this.#waiting) status.set({ kind: "pending", stage: "sent" });
  }

  /** The server answers all that waits. */
  answer(): void {
    for (const { command, input, id, status } of this.#waiting.splice(0)) {
      const reason = this.#decide("me", command, input, id);
      this.#show();
      if (!reason) status.set({ kind: "confirmed", position: POSITION });
      else {
        if (isConflict(reason)) this.#conflict(reason);
        status.set({ kind: "rejected", reason, error: new TandemError("rejected", "Refused.") });
      }
    }
  }

  /** The server refuses all that waits, without asking the model. */
  refuse(error: TandemError): void {
    for (const { status } of this.#waiting.splice(0)) {
      this.#show();
      status.set({ kind: "rejected", reason: undefined, error });
    }
  }

  /** Somebody else's command takes effect. */
  by(user: string, command: string, input: unknown): void {
    const reason = this.#decide(user, command, input, `o${++this.#commands}`);
    if (reason) throw new Error(`${command} of ${user} was refused: ${reason.code}`);
    this.#show();
  }

  #conflict({ path, mine, theirs, by, at, restore }: ConflictReason): void {
    const dismiss = () => this.conflicts.set(this.conflicts.get().filter((one) => one !== conflict));
    const conflict: Conflict = {
      path,
      mine,
      theirs,
      by,
      at,
      dismiss,
      restore:
        restore &&
        (() => {
          dismiss();
          return this.send(restore.command, restore.input);
        }),
    };
    this.conflicts.set([...this.conflicts.get(), conflict]);
  }

  /** @returns why the model refuses */
  #decide(user: string, command: string, input: unknown, id: string) {
    const made = this.#made(this.#confirmed, command, input, this.#context(user, id, true));
    if (made instanceof Rejection) return made.reason as ReasonOf<M>;
    for (const event of made) this.#confirmed = this.#after(this.#confirmed, event, user);
    return undefined;
  }

  #show(): void {
    let value = this.#confirmed;
    for (const { command, input, id } of this.#waiting) {
      const made = this.#made(value, command, input, this.#context("me", id, false));
      if (!(made instanceof Rejection)) for (const event of made) value = this.#after(value, event, "me");
    }
    this.pending.set(this.#waiting.length);
    this.state.set({ kind: "ready", value: value as StateOf<M>, position: POSITION });
  }

  #made(
    state: object,
    command: string,
    input: unknown,
    context: Context,
  ): readonly Made<Record<string, unknown>>[] | Rejection {
    const definition = this.#model.commands[command];
    const result = definition?.input["~standard"].validate(input);
    if (!definition || !result || result instanceof Promise || result.issues)
      throw new Error(`${command} is not taken`);
    const decision = definition.decide(state, result.value, context);
    return decision === UNPREDICTABLE ? [] : decision;
  }

  #after(state: object, { type, data }: Made<Record<string, unknown>>, user: string): object {
    const info = { id: `e${++this.#events}`, author: user, time: this.time };
    return evolve(this.#model, state, { type, version: this.#model.version, data, info });
  }

  #context(user: string, id: string, isServer: boolean): Context {
    return {
      user,
      admin: false,
      time: this.time,
      id: (index = 0) => `${id}-${index}`,
      sealing: isServer ? SEALING : undefined,
    };
  }
}

/** What users are called in tests. */
export const names = new Cell((user: string | null | undefined) => (user === "me" ? "You" : `${user}!`));
