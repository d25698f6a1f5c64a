import type { ClientMessageInput, Encoded, FrameCodec, Limits, ServerMessage, Welcome } from "@tandem/protocol";

/** Does a message have the fields that this client relies on? */
export type Check = (value: unknown) => boolean;

type WithoutId<M> = M extends { id: number } ? Omit<M, "id"> : never;

/** A request before it has its id. */
export type Question = WithoutId<
  Extract<
    ClientMessageInput,
    {
      type:
        | "subscribe"
        | "unsubscribe"
        | "history"
        | "state"
        | "watch"
        | "unwatch"
        | "enter"
        | "leave"
        | "roster"
        | "follow"
        | "unfollow";
    }
  >
>;

/** A connection as that which rides on it sees it. Answers come at most once, and never after the connection is gone. */
export interface Link {
  readonly codec: FrameCodec;
  readonly limits: Limits;
  /** What the server said last when it welcomed this client. */
  readonly welcome: Welcome;
  /** The server's clock, in milliseconds since 1970, as far as it is known. */
  serverTime(): number;
  nextId(): number;
  /** Asks as soon as the server's limit `requests` allows. What is longer than the server takes is refused here. */
  ask(question: Question, answered: (answer: ServerMessage) => void): void;
  /** Sends an encoded publish or command under an id of `nextId`. */
  send(id: number, encoded: Encoded, answered: (answer: ServerMessage) => void): void;
  /** Sends what is not answered. @returns `false` where it is longer than the server takes, and is not sent */
  post(message: ClientMessageInput): boolean;
  /** Calls `fill` at the end of this turn. */
  wake(): void;
  /** The server broke a rule that nothing good can follow: the connection is given up, and another one is made. */
  broken(message: string): void;
}

/** What rides on a connection, and is carried over to the next one. */
export interface Traffic {
  /** A connection stands: send what is due. Calls no one outside of the client. */
  attach(link: Link): void;
  /** The connection is gone, or the server has dropped all that was asked on it. */
  detach(): void;
  /** A turn's frames are about to be made. */
  fill(): void;
  /** A message that answers no request. */
  message(message: ServerMessage): void;
  /** All messages of one frame were handed over. */
  frameEnd(): void;
  /** The check of a message that is not one of the client's own, if anybody takes it. */
  checkOf(type: string): Check | undefined;
}
