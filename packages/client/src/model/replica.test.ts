import type { ModelEvent, Sealing } from "@tandem/model";
import { evolve, Rejection, UNPREDICTABLE } from "@tandem/model";
import type { Position } from "@tandem/protocol";
import { chainTag, eventId } from "@tandem/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BoardState } from "./board.fixture.ts";
import { board } from "./board.fixture.ts";
import { Command } from "./command.ts";
import { Replica } from "./replica.ts";

const ME = "ada";
const PRODUCER = "00000001-abcdefghijklmnopqrstuv";

interface Asked {
  readonly command: Command;
  readonly name: keyof typeof board.commands;
  readonly input: never;
  readonly seq: number;
  sent: boolean;
}
type Answer = { readonly asked: Asked; readonly position: Position | undefined };

/** A server with one channel, and what is on its way from it to one client. */
class World {
  state = board.initial();
  readonly replica = new Replica<BoardState>(board);
  readonly asked: Asked[] = [];
  /** Sent and not decided. */
  readonly #up: Asked[] = [];
  /** Appends on their way; `model` is left out where an event is none of the model's, or hidden from this client. */
  #down: { readonly events: ModelEvent[]; readonly position: Position }[] = [];
  readonly #answers: Answer[] = [];
  #position: Position = { epoch: "e1", offset: 0, tag: "" };
  /** A state is asked for… */
  #asked = false;
  /** …and on its way, as it was at its position. */
  #loading: { readonly state: BoardState; readonly position: Position } | undefined;
  readonly accepted = new Set<Asked>();
  readonly told = new Set<Asked>();

  constructor() {
    this.replica.load(ME, this.view(), this.#position);
  }

  view(): BoardState {
    return board.view(this.state, { user: ME });
  }

  give(name: Asked["name"], input: object): void {
    const seq = this.asked.length + 1;
    const nonce = `n${seq}`.padEnd(22, "_");
    const command = new Command(board, { name, input, nonce, time: seq }, (index) =>
      asked.sent ? eventId(PRODUCER, seq, index) : undefined,
    );
    const asked: Asked = { command, name, input: input as never, seq, sent: false };
    this.asked.push(asked);
    this.replica.push(command);
  }

  send(): void {
    const next = this.asked.find(({ sent }) => !sent);
    if (!next) return;
    next.sent = true;
    this.#up.push(next);
  }

  decide(): void {
    const asked = this.#up.shift();
    if (!asked) return;
    const made = this.#decided(asked.name, asked.input, ME);
    if (!made) return void this.#answers.push({ asked, position: undefined });
    this.#append(made, ME, (index) => eventId(PRODUCER, asked.seq, index));
    this.accepted.add(asked);
    this.#answers.push({ asked, position: this.#position });
  }

  other(name: Asked["name"], input: object): void {
    const made = this.#decided(name, input as never, "bob");
    if (made) this.#append(made, "bob", (index) => `other-${this.#position.offset}-${index}`);
  }

  chat(): void {
    this.#position = this.#next("chat");
    this.#down.push({ events: [], position: this.#position });
  }

  deliver(appends: number): void {
    if (this.#asked) return;
    const frame = this.#down.splice(0, appends);
    this.replica.take(frame.flatMap(({ events }) => events));
    const last = frame.at(-1);
    if (last) this.replica.reach(last.position);
  }

  answer(): void {
    const answer = this.#answers.shift();
    if (!answer) return;
    const { asked, position } = answer;
    this.told.add(asked);
    if (position) this.replica.answered(asked.command, position);
    else this.replica.refused(asked.command);
  }

  /** The channel's history does not go on, or the state is loaded anew for another reason. */
  reset(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.replica.ask();
  }

  placed(): void {
    if (!this.#asked || this.#loading) return;
    this.replica.await();
    this.#loading = { state: this.view(), position: this.#position };
  }

  loaded(): void {
    this.placed();
    if (!this.#loading) return;
    const { state, position } = this.#loading;
    this.#loading = undefined;
    this.#asked = false;
    this.#down = this.#down.filter((append) => append.position.offset > position.offset);
    this.replica.load(ME, state, position);
  }

  finish(): void {
    this.loaded();
    for (const _ of this.asked) {
      this.send();
      this.decide();
    }
    this.deliver(this.#down.length);
    while (this.#answers.length > 0) this.answer();
  }

  #decided(name: Asked["name"], input: never, user: string) {
    const context = { user, admin: false, time: 1, id: () => "id", sealing: {} as Sealing };
    const decision = board.commands[name].decide(this.state, input, context);
    return decision instanceof Rejection || decision === UNPREDICTABLE ? undefined : decision;
  }

  #append(made: readonly { type: string; data: unknown }[], author: string, idOf: (index: number) => string): void {
    if (made.length === 0) return;
    const events: ModelEvent[] = [];
    for (const [index, { type, data }] of made.entries()) {
      this.#position = this.#next(idOf(index));
      const { offset } = this.#position;
      const info = { id: idOf(index), author, time: offset };
      const event = { type, version: 1, data, offset, info };
      this.state = evolve(board, this.state, event);
      if (board.visible?.({ type, data, info } as never, { user: ME })) events.push(event);
    }
    this.#down.push({ events, position: this.#position });
  }

  #next(id: string): Position {
    const { epoch, offset, tag } = this.#position;
    return { epoch, offset: offset + 1, tag: chainTag(tag, id) };
  }
}

const TITLES = ["a", "b", ""];
const title = fc.record({ from: fc.constantFrom(...TITLES), to: fc.constantFrom(...TITLES) });
const to = fc.constantFrom("ada", "bob");
let tokens = 0;
const token = fc.constant(null).map(() => `t${++tokens}`);
const asks = fc.oneof(
  token.map((token) => ["put", { token }] as const),
  token.map((token) => ["guess", { token }] as const),
  fc.tuple(to, token).map(([to, token]) => ["announce", { to, token }] as const),
  title.map((input) => ["title", input] as const),
  to.map((to) => ["whisper", { to }] as const),
  fc.constant(["nothing", {}] as const),
  fc.constant(["take", { token: "t1" }] as const),
);
type Step = (world: World) => void;
const still = fc.oneof(
  asks.map(
    ([name, input]): Step =>
      (world) =>
        world.give(name, input),
  ),
  asks.map(
    ([name, input]): Step =>
      (world) =>
        world.other(name, input),
  ),
  fc.constant<Step>((world) => world.send()),
  fc.constant<Step>((world) => world.decide()),
  fc.constant<Step>((world) => world.answer()),
  fc.constant<Step>((world) => world.chat()),
  fc.constant<Step>((world) => {
    world.send();
    world.decide();
  }),
  fc.integer({ min: 1, max: 5 }).map(
    (appends): Step =>
      (world) =>
        world.deliver(appends),
  ),
);
const withResets = fc.oneof(
  { weight: 8, arbitrary: still },
  { weight: 1, arbitrary: fc.constant<Step>((world) => world.reset()) },
  { weight: 1, arbitrary: fc.constant<Step>((world) => world.placed()) },
  { weight: 1, arbitrary: fc.constant<Step>((world) => world.loaded()) },
);

const count = (world: World, token: string) =>
  (world.replica.predicted?.tokens ?? []).filter((other) => other === token).length;

describe("a replica", () => {
  it("comes to the server's state, whatever came between, also over resets", () => {
    fc.assert(
      fc.property(fc.array(withResets, { minLength: 20, maxLength: 60, size: "max" }), (steps) => {
        const world = new World();
        for (const step of steps) step(world);
        world.finish();
        expect(world.replica.predicted).toEqual(world.view());
        expect(world.replica.confirmed).toEqual(world.view());
      }),
      { numRuns: 500 },
    );
  });

  it("shows an own command exactly once from the call on, until it is refused", () => {
    fc.assert(
      fc.property(fc.array(still, { minLength: 20, maxLength: 60, size: "max" }), (steps) => {
        const world = new World();
        for (const step of steps) {
          step(world);
          for (const { name, input } of world.asked) {
            const { token } = input as { token?: string };
            // Others take the first token away.
            if ((name !== "put" && name !== "announce") || token === undefined || token === "t1") continue;
            expect([token, count(world, token)]).toEqual([token, 1]);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("never shows one twice, also where the state is loaded anew while it is on its way", () => {
    fc.assert(
      fc.property(fc.array(withResets, { minLength: 20, maxLength: 60, size: "max" }), (steps) => {
        const world = new World();
        for (const step of steps) {
          step(world);
          for (const { input } of world.asked) {
            const { token } = input as { token?: string };
            if (token !== undefined) expect(count(world, token)).toBeLessThanOrEqual(1);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("a refused command is rolled back, and those after it are decided without it", () => {
    const world = new World();
    world.give("title", { from: "", to: "a" });
    world.give("title", { from: "a", to: "b" });
    expect(world.replica.predicted?.title).toBe("b");
    world.other("title", { from: "", to: "x" });
    world.deliver(1);
    expect(world.replica.predicted?.title).toBe("x");
    world.finish();
    expect(world.replica.predicted?.title).toBe("x");
  });

  it("shows what was on its way while the state was loaded once its answer tells that the state has it not", () => {
    const world = new World();
    world.give("put", { token: "mine" });
    world.send();
    world.reset();
    world.loaded();
    expect(world.replica.predicted?.tokens).toEqual([]);
    world.decide();
    world.answer();
    expect(world.replica.predicted?.tokens).toEqual(["mine"]);
    world.deliver(1);
    expect(world.replica.predicted?.tokens).toEqual(["mine"]);
  });

  it("lets go of what was settled in a history that a restored backup has taken back", () => {
    const world = new World();
    world.give("put", { token: "mine" });
    world.send();
    world.replica.answered(world.asked[0]?.command as Command, { epoch: "e1", offset: 2, tag: "s" });
    expect(world.replica.predicted?.tokens).toEqual(["mine"]);
    world.replica.ask();
    world.replica.await();
    world.replica.load(ME, board.initial(), { epoch: "e1", offset: 1, tag: "t" });
    expect(world.replica.predicted?.tokens).toEqual([]);
  });

  it("lets go of what is settled in the history that goes on, where it stands further in one taken back, until it is loaded anew", () => {
    const world = new World();
    world.give("put", { token: "mine" });
    world.send();
    world.replica.reach({ epoch: "e1", offset: 3, tag: "taken back" });
    expect(world.replica.predicted?.tokens).toEqual(["mine"]);
    world.decide();
    world.answer();
    expect(world.replica.predicted?.tokens).toEqual([]);
    world.replica.ask();
    world.replica.await();
    world.replica.load(ME, world.view(), { epoch: "e1", offset: 1, tag: "t" });
    expect(world.replica.predicted?.tokens).toEqual(["mine"]);
  });

  it("keeps what is settled past a state that is on its way, also where it stood further on itself", () => {
    const world = new World();
    world.replica.reach({ epoch: "e1", offset: 9, tag: "s" });
    world.give("put", { token: "mine" });
    world.send();
    world.replica.ask();
    world.replica.answered(world.asked[0]?.command as Command, { epoch: "e1", offset: 2, tag: "t" });
    expect(world.replica.predicted?.tokens).toEqual(["mine"]);
    world.replica.await();
    world.replica.load(ME, board.initial(), { epoch: "e1", offset: 1, tag: "u" });
    expect(world.replica.predicted?.tokens).toEqual(["mine"]);
    world.replica.reach({ epoch: "e1", offset: 2, tag: "t" });
    expect(world.replica.predicted?.tokens).toEqual([]);
  });

  it("lets go of what was settled in a life of the channel that was over when the state was loaded", () => {
    const world = new World();
    world.give("put", { token: "mine" });
    world.send();
    world.replica.await();
    world.replica.load(ME, board.initial(), { epoch: "e2", offset: 4, tag: "t" });
    world.replica.answered(world.asked[0]?.command as Command, { epoch: "e1", offset: 1, tag: "s" });
    expect(world.replica.predicted?.tokens).toEqual([]);
    world.replica.reach({ epoch: "e2", offset: 9, tag: "u" });
    expect(world.replica.predicted?.tokens).toEqual([]);
  });

  it.each(["before", "after"])(
    "lets go of what was settled in a life that it never saw, %s it comes to the next",
    (when) => {
      const world = new World();
      world.replica.load(ME, board.initial(), { epoch: "-", offset: 0, tag: "" });
      world.give("put", { token: "mine" });
      world.send();
      const answer = () =>
        world.replica.answered(world.asked[0]?.command as Command, { epoch: "e1", offset: 1, tag: "s" });
      if (when === "before") answer();
      expect(world.replica.predicted?.tokens).toEqual(["mine"]);
      world.replica.reach({ epoch: "e2", offset: 1, tag: "u" });
      if (when === "after") answer();
      expect(world.replica.predicted?.tokens).toEqual([]);
    },
  );

  it("knows what takes a command back from the state that the server decided it on", () => {
    const world = new World();
    world.give("title", { from: "", to: "a" });
    const [asked] = world.asked;
    expect(asked?.command.inverse()).toEqual({ command: "title", input: { from: "a", to: "" } });
    world.finish();
    expect(asked?.command.inverse()).toEqual({ command: "title", input: { from: "a", to: "" } });
  });
});
