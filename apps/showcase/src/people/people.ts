import type { Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";
import { OwnTyping } from "./own-typing.ts";
import type { Attendance, Heard, Member, Place, PresencePort } from "./presence-port.ts";
import { Typists } from "./typists.ts";

/** Somebody in the room, as the page shows them. */
export interface PersonHere {
  readonly user: string;
  readonly name: string;
  readonly status: Member["status"];
  readonly devices: number;
  /** The reader. */
  readonly self: boolean;
}

export interface PeopleView {
  /** In the order in which they came. In a very large room not everybody. */
  readonly people: readonly PersonHere[];
  readonly count: number;
  /** `pending`: this is how it was when the connection was lost; or nothing is known yet. */
  readonly status: "pending" | "live" | "ended";
}

/** Another's pointer has moved; `place` is `null` when it has gone. */
export interface CursorMove {
  readonly device: string;
  readonly user: string;
  readonly name: string;
  readonly place: Place | null;
}

export interface PeopleOptions {
  readonly channel: PresencePort;
  /** The reader's user, once the server has told it. */
  readonly self: Store<string | undefined>;
  /** What the reader is called. */
  readonly name: Store<string>;
}

const NOBODY: PeopleView = { people: [], count: 0, status: "pending" };

/** Who is in a room, what they do there, and the reader among them. Knows no page and no React. */
export class People implements Store<PeopleView> {
  /** Names of those who are typing. */
  readonly typing: Store<readonly string[]>;
  readonly #options: PeopleOptions;
  readonly #view = new Cell<PeopleView>(NOBODY);
  readonly #typists = new Typists((user) => this.#nameOf(user));
  readonly #ownTyping = new OwnTyping((typing) => this.#attendance?.type(typing));
  readonly #cursorListeners = new Set<(moves: readonly CursorMove[]) => void>();
  #attendance: Attendance | undefined;
  /** By user. */
  #people: ReadonlyMap<string, PersonHere> = new Map();

  constructor(options: PeopleOptions) {
    this.#options = options;
    this.typing = this.#typists.names;
  }

  get = (): PeopleView => this.#view.get();

  subscribe = (listener: () => void): (() => void) => this.#view.subscribe(listener);

  /** The reader comes into the room. @returns the call by which they leave it */
  enter(): () => void {
    const { channel, self, name } = this.#options;
    const attendance = channel.enter(name.get(), {
      cursors: (batch) => this.#pointed(batch),
      typing: (batch) => {
        for (const { device, user } of this.#others(batch, (typed) => typed.data !== null)) {
          this.#typists.began(device, user);
        }
        for (const { device, data } of batch) if (data === null) this.#typists.ended(device);
      },
    });
    this.#attendance = attendance;
    const show = () => this.#show();
    const endings = [
      attendance.members.subscribe(show),
      attendance.count.subscribe(show),
      attendance.status.subscribe(show),
      self.subscribe(show),
      name.subscribe(() => attendance.rename(name.get())),
    ];
    show();
    return () => {
      for (const end of endings) end();
      this.#ownTyping.stop();
      this.#attendance = undefined;
      attendance.leave();
      this.#typists.clear();
      this.#people = new Map();
      this.#view.set(NOBODY);
    };
  }

  /** Calls `listener` with the moves of the others' pointers. @returns the call that ends it */
  onCursors(listener: (moves: readonly CursorMove[]) => void): () => void {
    this.#cursorListeners.add(listener);
    return () => this.#cursorListeners.delete(listener);
  }

  /** Shows the others where the reader points. */
  point(place: Place | null): void {
    this.#attendance?.point(place);
  }

  /** Shows the others that the reader types, from what stands in the field now. */
  typed(text: string): void {
    this.#ownTyping.typed(text);
  }

  #pointed(batch: readonly Heard<Place>[]): void {
    const gone = batch.filter(({ data }) => data === null);
    const moved = this.#others(batch, ({ data }) => data !== null);
    const moves: CursorMove[] = [
      ...gone.map(({ device, user = "" }) => ({ device, user, name: "", place: null })),
      ...moved.map(({ device, user, data }) => ({ device, user, name: this.#nameOf(user), place: data })),
    ];
    for (const listener of this.#cursorListeners) listener(moves);
  }

  /** What others say, as far as it is known who they are: whom a reader does not see is not drawn either. */
  #others<D>(batch: readonly Heard<D>[], wanted: (heard: Heard<D>) => boolean): (Heard<D> & { user: string })[] {
    const self = this.#options.self.get();
    return batch.filter(
      (heard): heard is Heard<D> & { user: string } => heard.user !== undefined && heard.user !== self && wanted(heard),
    );
  }

  #nameOf(user: string): string {
    return this.#people.get(user)?.name ?? "Somebody";
  }

  #show(): void {
    const attendance = this.#attendance;
    if (attendance === undefined) return;
    const self = this.#options.self.get();
    const people = attendance.members.get().map((member) => personOf(member, self));
    this.#people = new Map(people.map((person) => [person.user, person]));
    this.#view.set({ people, count: attendance.count.get(), status: attendance.status.get() });
  }
}

function personOf({ user, name, state, status, devices }: Member, self: string | undefined): PersonHere {
  return { user, name: state?.name ?? name ?? "Somebody", status, devices: devices.length, self: user === self };
}
