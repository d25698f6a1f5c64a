import type { Activity, ErrorMessage, Members, ServerMessage, Signals, Unsignalled } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Runtime, Store } from "@tandem/runtime";
import { Cell, fullJitter } from "@tandem/runtime";
import { Alarm } from "../alarm.ts";
import type { Link } from "../connection/link.ts";
import { knownCode, ownRefusal, refusal } from "../connection/refusal.ts";
import { jsonOf } from "../outbox/publication.ts";
import type { PresentMember } from "./members.ts";
import { MemberList } from "./members.ts";
import { SignalBoard } from "./signal-board.ts";
import { Snapshot } from "./snapshot.ts";

/** `pending` until the server has answered, and again while the connection is away. */
export type PresenceStatus = "pending" | "live" | "ended";

/** Something of the application that uses a channel's presence. */
export interface Use {
  /** It wants this client to be there. */
  readonly enters: boolean;
  /** It wants the others' signals. */
  readonly signals: boolean;
  onError(error: TandemError): void;
  /** The room was changed by a frame. `changed`: devices whose signals came with it, by key. */
  onFrame?(changed: ReadonlyMap<string, ReadonlyMap<string, unknown>>): void;
}

/** What a room takes from all rooms of the client. */
export interface RoomPorts {
  readonly runtime: Runtime;
  /** Counts everything that this client says of itself. */
  nextSeq(): number;
  activity(): Activity;
  report(error: unknown): void;
  /**
   * Signals were refused for a while. The server counts all of a client's, and says so once a second: those of other rooms may have
   * been dropped with them.
   */
  slowed(ms: number): void;
  /** Nobody uses the room any more. */
  emptied(room: Room): void;
}

/** How this client stands to being there: what is to be said next goes out at the end of the turn, the newest only. */
type Standing = "out" | "due" | "asked" | "in" | "refused";

/**
 * One channel's presence and signals as this client has them: watched once for all who use it, entered while somebody wants it, and asked for anew on each
 * connection.
 */
export class Room {
  readonly channel: string;
  readonly members: Store<readonly PresentMember[]>;
  readonly count: Cell<number>;
  readonly status: Cell<PresenceStatus>;
  readonly board: SignalBoard;
  readonly #ports: RoomPorts;
  readonly #uses = new Set<Use>();
  readonly #list = new MemberList((device) => this.board.forget(device));
  readonly #shown: Snapshot<readonly PresentMember[]>;
  readonly #hold: Alarm;
  #link: Link | undefined;
  #state: unknown;
  #standing: Standing = "out";
  /** The server has accepted this client here, or may have done so, and was told nothing else since. */
  #isThere = false;
  /** The connection that this is known of. */
  #last: Link | undefined;
  /** What was said last is not all that is to be said. */
  #changed = false;
  /** Whether signals are watched, too; `undefined`: nothing is watched. */
  #watched: boolean | undefined;
  #tries = 0;
  /** Watches that the server had already, since this client was welcomed last. */
  #strikes = 0;
  #dirty = false;
  #self: string | undefined;

  constructor(channel: string, ports: RoomPorts) {
    this.channel = channel;
    this.#ports = ports;
    this.members = this.#shown = new Snapshot(() => this.#list.list(this.#self), ports.report);
    this.count = new Cell(0, ports.report);
    this.status = new Cell<PresenceStatus>("pending", ports.report);
    this.#hold = new Alarm(ports.runtime);
    this.board = new SignalBoard(ports.runtime, () => this.#link?.wake());
  }

  /** The user of a device that is there. */
  userOf(device: string): string | undefined {
    return this.#list.userOf(device);
  }

  get self(): string | undefined {
    return this.#self;
  }

  add(use: Use): void {
    this.#uses.add(use);
    this.#wake();
  }

  remove(use: Use): void {
    if (!this.#uses.delete(use)) return;
    if (this.#uses.size > 0) return this.#wake();
    this.#leave();
    if (this.#watched !== undefined) this.#link?.ask({ type: "unwatch", channel: this.channel }, () => undefined);
    this.#end();
  }

  /** Nobody uses it any more, and what was asked on this connection before may stand there all the same. */
  part(link: Link): void {
    const { channel } = this;
    if (this.#isThere) link.ask({ type: "leave", channel, seq: this.#ports.nextSeq() }, () => undefined);
    link.ask({ type: "unwatch", channel }, () => undefined);
  }

  /** Says something else of oneself from now on: the state as it is at the call. */
  update(use: Use, state: unknown): void {
    const said = this.#said(use, state);
    if (!said) return;
    this.#state = said.value;
    this.say();
  }

  /** What this client says of itself has changed. */
  say(): void {
    this.#changed = true;
    if (this.#standing === "refused") this.#standing = "due";
    this.#wake();
  }

  /** Signals, while there is a connection. */
  signal(use: Use, key: string, data: unknown): void {
    const said = this.#link && this.#said(use, data);
    if (said) this.board.send(key, said.value);
  }

  /** What an application says, as it is now; `undefined` where it cannot be told, or who says it has ended. */
  #said(use: Use, value: unknown): { readonly value: unknown } | undefined {
    if (!this.#uses.has(use)) return undefined;
    if (value === undefined) return { value };
    const text = jsonOf(value);
    if (text) return { value: JSON.parse(text) };
    this.#tell(ownRefusal("invalid-data"), [use]);
    return undefined;
  }

  attach(link: Link): void {
    if (link !== this.#last) this.#isThere = false;
    this.#link = this.#last = link;
    this.#self = link.welcome.device;
    this.#tries = 0;
    this.#strikes = 0;
    this.#wake();
  }

  detach(): void {
    this.#link = undefined;
    this.#watched = undefined;
    if (this.#standing === "asked") this.#isThere = true;
    this.#standing = "out";
    this.#hold.cancel();
    this.board.pause();
    if (this.status.get() === "live") this.status.set("pending");
  }

  #wake(): void {
    this.#link?.wake();
  }

  /** Sends what is due. */
  fill(): void {
    const link = this.#link;
    if (!link || this.#uses.size === 0) return;
    const uses = [...this.#uses];
    if (!this.#hold.isSet) {
      this.#watch(
        link,
        uses.some(({ signals }) => signals),
      );
      if (!uses.some(({ enters }) => enters)) this.#leave();
      else if (this.#standing === "out" || this.#standing === "due" || (this.#standing === "in" && this.#changed)) {
        this.#enter(link);
      }
    }
    if (this.#standing !== "in") return;
    for (const signals of this.board.take(link.limits.signalKeys)) {
      if (link.post({ type: "signal", channel: this.channel, seq: this.#ports.nextSeq(), signals })) continue;
      this.#tell(new TandemError("signal-too-large", "It is longer than the server takes."), signalling(this.#uses));
    }
  }

  #watch(link: Link, signals: boolean): void {
    const { channel } = this;
    if (this.#watched !== undefined && (this.#watched || !signals)) return;
    if (this.#watched !== undefined) link.ask({ type: "unwatch", channel }, () => undefined);
    this.#watched = signals;
    link.ask({ type: "watch", channel, signals }, (answer) => {
      // Only the newest question counts: another was asked where signals are wanted since.
      if (answer.type !== "error" || this.#link !== link || this.#watched !== signals) return;
      this.#watched = undefined;
      if (answer.code === "already-watching" && this.#strikes++ === 0) {
        // Asked when the server had a fresh token already, and before this client heard that the last one had lapsed: begun anew.
        link.ask({ type: "unwatch", channel }, () => undefined);
        this.#wake();
      } else if (answer.retryable) this.#retry(answer);
      else this.fail(refusal(answer));
    });
  }

  #enter(link: Link): void {
    this.#standing = "asked";
    this.#changed = false;
    const { nextSeq, activity } = this.#ports;
    const said = { seq: nextSeq(), state: this.#state, activity: activity() };
    link.ask({ type: "enter", channel: this.channel, ...said }, (answer) => {
      if (this.#link !== link || this.#standing !== "asked") return;
      if (answer.type === "error") return this.#refused(answer);
      this.#standing = "in";
      this.#isThere = true;
      this.#tries = 0;
      this.#wake();
    });
  }

  #refused(answer: ErrorMessage): void {
    // What was said before still holds, if there was anything, and there is the right to it.
    if (answer.code === "not-a-member" || answer.code === "forbidden") this.#isThere = false;
    if (answer.retryable) {
      this.#changed = true;
      this.#standing = this.#isThere ? "in" : "due";
      return this.#retry(answer);
    }
    if (this.#isThere) this.#standing = "in";
    else this.#standing = this.#changed ? "due" : "refused";
    const entering = [...this.#uses].filter(({ enters }) => enters);
    this.#tell(refusal(answer), entering);
    this.#wake();
  }

  #retry({ retryAfter }: ErrorMessage): void {
    const wait = retryAfter ?? fullJitter(this.#tries++, this.#ports.runtime.random());
    this.#hold.set(wait, () => this.#wake());
  }

  #leave(): void {
    if (this.#isThere || this.#standing === "asked") {
      this.#link?.ask({ type: "leave", channel: this.channel, seq: this.#ports.nextSeq() }, () => undefined);
    }
    if (this.#link) this.#isThere = false;
    this.#standing = "out";
  }

  message(message: ServerMessage): void {
    switch (message.type) {
      case "members":
        return this.#took(message);
      case "signals":
        return this.#heard(message);
      case "unsignalled":
        return this.#unsignalled(message);
      case "unwatched":
        if (message.id === undefined) this.fail(new TandemError("forbidden", "The server ended the watch."));
    }
  }

  #took(message: Members): void {
    this.board.pace(message.signalMs);
    if (this.#list.take(message)) this.#dirty = true;
    if (message.more) return;
    this.count.set(message.count);
    if (this.status.get() === "pending") this.status.set("live");
  }

  #heard({ full, signals }: Signals): void {
    this.board.hear(full === true, signals, this.#self);
  }

  #unsignalled({ code, message, retryable, retryAfter }: Unsignalled): void {
    // The server does not know that this client is there: it is told again.
    if (code === "not-a-member" && this.#standing === "in") {
      this.#standing = "due";
      this.#isThere = false;
      this.board.again(0);
    } else if (retryable) this.#ports.slowed(retryAfter ?? fullJitter(this.#tries++, this.#ports.runtime.random()));
    else this.#tell(new TandemError(knownCode(code), message), signalling(this.#uses));
    this.#wake();
  }

  /** Hands over what one frame brought. */
  frameEnd(): void {
    const changed = this.board.changes();
    if (this.#dirty) this.#shown.change();
    if (this.#dirty || changed.size > 0) for (const use of [...this.#uses]) use.onFrame?.(changed);
    this.#dirty = false;
  }

  /** Ends it for all who use it. */
  fail(error: TandemError): void {
    this.#leave();
    const uses = [...this.#uses];
    this.#uses.clear();
    this.#end();
    this.#tell(error, uses);
  }

  #end(): void {
    this.#hold.cancel();
    this.board.pause();
    // Who is told may use the channel anew: that is another room.
    this.#ports.emptied(this);
    this.status.set("ended");
  }

  #tell(error: TandemError, uses: readonly Use[]): void {
    for (const use of uses) {
      try {
        use.onError(error);
      } catch (thrown) {
        this.#ports.report(thrown);
      }
    }
  }
}

function signalling(uses: Iterable<Use>): Use[] {
  return [...uses].filter(({ signals }) => signals);
}
