import type { AnyModel, CommandInput, CommandName, StateOf } from "../model.ts";
import type { Rehearsal } from "./rehearsal.ts";

/** One step of a play, as data, for properties that make plays by chance. Clients are told by their index among those that joined, counted round. */
export type Step<M extends AnyModel = AnyModel> =
  /** A client sends a command. The input may be made from what the client shows then. */
  | {
      readonly do: "send";
      readonly client: number;
      readonly command: CommandName<M>;
      readonly input: unknown | ((state: StateOf<M>, user: string) => unknown);
    }
  /** The server takes up a client's next command. */
  | { readonly do: "serve"; readonly client: number }
  /** A client hears of so many events. */
  | { readonly do: "deliver"; readonly client: number; readonly count: number }
  /** A client loads the state anew. */
  | { readonly do: "reload"; readonly client: number }
  /** Time passes and deadlines act. */
  | { readonly do: "pass"; readonly ms: number }
  /** The clock goes on (or back), and deadlines are late. */
  | { readonly do: "advance"; readonly ms: number };

/** Plays the steps with the clients that joined, then checks (`Rehearsal.check`). @throws RuleBroken */
export function play<M extends AnyModel>(stage: Rehearsal<M>, steps: Iterable<Step<M>>): void {
  for (const step of steps) take(stage, step);
  stage.check();
}

/** Takes one step. */
export function take<M extends AnyModel>(stage: Rehearsal<M>, step: Step<M>): void {
  if (step.do === "pass") return stage.pass(step.ms);
  if (step.do === "advance") return stage.advance(step.ms);
  const client = stage.clients[step.client % stage.clients.length];
  if (!client) throw new RangeError("nobody has joined");
  switch (step.do) {
    case "send": {
      const input = typeof step.input === "function" ? step.input(client.state, client.user) : step.input;
      return client.send(step.command, input as CommandInput<M, CommandName<M>>);
    }
    case "serve":
      client.serve();
      return;
    case "deliver":
      return client.deliver(step.count);
    case "reload":
      return client.reload();
  }
}
