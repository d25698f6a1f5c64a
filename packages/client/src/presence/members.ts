import type { Activity, Member, Members } from "@tandem/protocol";

/** What one device of a member says. */
export interface PresentDevice<S = unknown> {
  /** Its name in signals. */
  readonly device: string;
  readonly state: S | undefined;
  /** `reconnecting`: its connection was lost a moment ago. */
  readonly status: Activity | "reconnecting";
  /** When it came: milliseconds since 1970 by the server. */
  readonly since: number;
}

/** A user who is there, with all devices. */
export interface PresentMember<S = unknown> {
  readonly user: string;
  readonly name: string | undefined;
  /** That of the device that is most in use; of two alike, the one that came last. */
  readonly state: S | undefined;
  readonly status: Activity | "reconnecting";
  /** When the first of the devices came. */
  readonly since: number;
  readonly devices: readonly PresentDevice<S>[];
  /** This client is one of the devices. */
  readonly self: boolean;
}

const ORDER: readonly Member["status"][] = ["active", "idle", "away", "reconnecting"];

/** Who is there, as the server tells it: devices, made into members. */
export class MemberList {
  #devices = new Map<string, Member>();
  /** A full list whose end has not come. */
  #coming: Map<string, Member> | undefined;
  readonly #byUser = new Map<string, Set<string>>();
  readonly #made = new Map<string, PresentMember>();
  readonly #dropped: (device: string) => void;

  /** @param dropped is told of each device that is not shown any more */
  constructor(dropped: (device: string) => void) {
    this.#dropped = dropped;
  }

  /** The user of a device. */
  userOf(device: string): string | undefined {
    return this.#devices.get(device)?.user;
  }

  /** @returns whether what is shown has changed */
  take({ full, more, members, gone = [] }: Members): boolean {
    if (full) this.#coming = new Map();
    if (this.#coming) {
      for (const device of gone) this.#coming.delete(device);
      for (const member of members) this.#coming.set(member.device, member);
      if (more) return false;
      this.#replace(this.#coming);
      this.#coming = undefined;
      return true;
    }
    for (const device of gone) this.#drop(device);
    for (const member of members) this.#set(member);
    return members.length + gone.length > 0;
  }

  #replace(devices: ReadonlyMap<string, Member>): void {
    for (const device of this.#devices.keys()) if (!devices.has(device)) this.#drop(device);
    for (const member of devices.values()) this.#set(member);
  }

  #set(member: Member): void {
    const { device, user } = member;
    this.#devices.set(device, member);
    const devices = this.#byUser.get(user);
    if (devices) devices.add(device);
    else this.#byUser.set(user, new Set([device]));
    this.#made.delete(user);
  }

  #drop(device: string): void {
    const member = this.#devices.get(device);
    if (!member) return;
    this.#devices.delete(device);
    this.#made.delete(member.user);
    const devices = this.#byUser.get(member.user);
    devices?.delete(device);
    if (devices?.size === 0) this.#byUser.delete(member.user);
    this.#dropped(device);
  }

  /** The members in the order in which they came. One that has not changed is the same object as before. */
  list(self: string | undefined): readonly PresentMember[] {
    const list = [...this.#byUser].map(([user, devices]) => {
      let member = this.#made.get(user);
      if (!member || member.self !== (self !== undefined && devices.has(self))) {
        member = this.#make(user, [...devices], self);
        this.#made.set(user, member);
      }
      return member;
    });
    return list.sort((a, b) => a.since - b.since || (a.user < b.user ? -1 : 1));
  }

  #make(user: string, names: readonly string[], self: string | undefined): PresentMember {
    const all = names.flatMap((name) => this.#devices.get(name) ?? []);
    all.sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status) || b.since - a.since);
    const [first] = all;
    return {
      user,
      name: first?.name,
      state: first?.state,
      status: first?.status ?? "reconnecting",
      since: Math.min(...all.map(({ since }) => since)),
      devices: all.map(({ device, state, status, since }) => ({ device, state, status, since })),
      self: self !== undefined && names.includes(self),
    };
  }
}
