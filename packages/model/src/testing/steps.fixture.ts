import fc from "fast-check";
import type { AnyModel, CommandName, StateOf } from "../model.ts";
import type { Step } from "./play.ts";

/** A command with its input, or what makes the input of what the client shows. */
export interface Sent<M extends AnyModel> {
  readonly command: CommandName<M>;
  readonly input: unknown | ((state: StateOf<M>, user: string) => unknown);
}

/**
 * Plays by chance: `commands` by any client, decided and heard of early or late, with time that passes `longest` milliseconds at most, deadlines that are
 * late and a clock that jumps back.
 */
export function plays<M extends AnyModel>(
  commands: fc.Arbitrary<Sent<M>>,
  { longest = 60_000, maxLength = 60 } = {},
): fc.Arbitrary<Step<M>[]> {
  const client = fc.nat({ max: 3 });
  return fc
    .array(
      fc.oneof(
        { weight: 6, arbitrary: fc.record({ do: fc.constant("send" as const), client, sent: commands }) },
        { weight: 6, arbitrary: fc.record({ do: fc.constant("serve" as const), client }) },
        {
          weight: 3,
          arbitrary: fc.record({ do: fc.constant("deliver" as const), client, count: fc.integer({ min: 1, max: 5 }) }),
        },
        { weight: 1, arbitrary: fc.record({ do: fc.constant("reload" as const), client }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.nat({ max: longest }) }) },
        {
          weight: 1,
          arbitrary: fc.record({
            do: fc.constant("advance" as const),
            ms: fc.integer({ min: -Math.ceil(longest / 4), max: longest }),
          }),
        },
      ),
      { maxLength, size: "max" },
    )
    .map((steps) =>
      steps.map((step): Step<M> => {
        if (step.do !== "send") return step;
        return { do: "send", client: step.client, command: step.sent.command, input: step.sent.input };
      }),
    );
}
