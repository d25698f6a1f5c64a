import type { ReasonOf } from "@tandem/model";
import type { board } from "../room-models.ts";

/** Why a command of the board was refused, as a sentence. */
export function boardRefusal(reason: ReasonOf<typeof board>): string {
  switch (reason.code) {
    case "missing":
      return "The card has been removed.";
    case "exists":
      return "There is such a card already.";
    case "full":
      return `The board has ${reason.most} cards: there is no room for more.`;
    case "invalid":
      return `It cannot be: ${reason.issues.map(({ message }) => message).join("; ")}`;
    case "no-room":
      return "There is no room between these cards.";
    case "conflict":
      return "Somebody else has changed it.";
    case "base-missing":
    case "unordered":
      return "The board does not take that.";
  }
}
