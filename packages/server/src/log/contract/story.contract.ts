import { chainTag } from "@tandem/protocol";
import type { Append, ModelAppend } from "../log.ts";
import { idsOf } from "../log.ts";
import type { AttemptOptions } from "./attempt.contract.ts";
import { attempt, NOW, producerId } from "./attempt.contract.ts";

/** The events of a model, as its appends are made one after the other. */
export class Story {
  tag = "";
  readonly name: string;
  readonly #producer: string;
  #seq = 0;

  constructor(name = "votes", letter = "v", minted = NOW) {
    this.name = name;
    this.#producer = producerId(letter, minted);
  }

  /** The next append, on the history so far. */
  next(model: Partial<ModelAppend> = {}, { data = ["1"], ...rest }: AttemptOptions = {}): Append {
    const { name, tag } = this;
    const seq = ++this.#seq;
    const given = { name, expect: tag, decision: "first", deadline: undefined, ...model };
    const append = attempt({ producer: this.#producer, seq, data, model: given, ...rest });
    this.tag = idsOf(append).reduce(chainTag, tag);
    return append;
  }

  /** An append on a history that the model does not have, under the next seq, which stays the next. */
  wrong(expect: string): Append {
    const { name } = this;
    return attempt({
      producer: this.#producer,
      seq: this.#seq + 1,
      model: { name, expect, decision: "first", deadline: undefined },
    });
  }
}
