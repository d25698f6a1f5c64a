import type { Position } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import { nameIn } from "../eyes.ts";
import type { Fact } from "../ledger.ts";
import type { Random } from "../random.ts";
import type { World } from "../world.ts";
import type { Clerk, Desk } from "./clerk.ts";
import { difference, textOf } from "./comparison.ts";
import type { DeskModel } from "./desk.ts";
import { modelNamed, modelsOf } from "./desk.ts";
import { present } from "./purse.ts";

/** Asks nodes and clients for states, new and old, and holds them against the oracle's; and looks at what is kept beside the log. */
export class Inspector {
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  /** Asks a node, as the application. */
  async inspect(tenant: string, channel: string, name: DeskModel): Promise<void> {
    const { hosts, ledger, tally, clock } = this.#world;
    const up = hosts.filter((host) => host.up);
    const node = up.length > 0 ? this.#random.pick(up).node : undefined;
    if (!node) return;
    const key = `${tenant}/${channel}`;
    const facts = ledger.line(key)?.facts ?? [];
    const past = facts.length > 0 && this.#random.chance(0.4) ? positionOf(this.#random.pick(facts)) : undefined;
    const head = ledger.head(key);
    const { removals, restorations } = ledger;
    const upheavals = removals.length + restorations.length;
    try {
      const { state, position } = await node.application(tenant).model(channel, name).state(past);
      tally.count("path", past ? "state-of-the-past" : "state-of-a-node");
      if (upheavals !== removals.length + restorations.length) return;
      if (!past && position.epoch === head.epoch && position.offset < head.offset)
        this.#wrong(
          "G4",
          `${name} of ${key} was told at ${position.offset}, the head was ${head.offset} when it was asked for`,
        );
      this.#compare(key, name, position, state, undefined, "a node");
    } catch (error) {
      if (!(error instanceof TandemError)) throw error;
      tally.count("path", `state.${error.code}`);
      const isWhole = ledger.line(key)?.first === 1 && upheavals === removals.length + restorations.length;
      if (error.code === "model-stopped" || (error.code === "state-gone" && past && isWhole))
        this.#wrong(
          "M5",
          `the state of ${name} of ${key} at ${past?.offset ?? "the head"} was refused: ${error.code} (${clock.now})`,
        );
    }
  }

  /** A client looks at what was. */
  async travel({ visitor, client }: Clerk, { channel, name, handle, places }: Desk): Promise<void> {
    if (places.length === 0) return;
    const position = this.#random.pick(places);
    const { tenant, user } = visitor.person;
    try {
      const state = await handle.at(position);
      if (client !== visitor.client) return;
      this.#world.tally.count("path", "time-travelled");
      this.#compare(`${tenant}/${channel}`, name, position, state, user, visitor.name);
    } catch (error) {
      if (!(error instanceof TandemError)) throw error;
      this.#world.tally.count("path", `travel.${error.code}`);
    }
  }

  #compare(
    key: string,
    name: DeskModel,
    position: Position,
    state: object,
    user: string | undefined,
    who: string,
  ): void {
    const text = textOf(present(name, state));
    let nearest: string | undefined;
    for (const possible of this.#world.desks.oracle.possible(key, position, name)) {
      const expected = textOf(user === undefined ? possible : modelNamed(name)?.view(possible, { user }));
      if (expected === text) return;
      nearest ??= expected;
    }
    const seen = nearest === undefined ? "what was never stored" : difference(text, nearest);
    this.#wrong("M16", `${who} holds of ${name} of ${key} at ${JSON.stringify(position)} ${seen}`);
  }

  /** M2, M4: what the store keeps beside the events is what follows from them. */
  async compareStore(): Promise<void> {
    const { desks, storage } = this.#world;
    const rows = await storage.store.deadlines(10_000);
    const heads = new Map((await storage.store.heads(desks.channels)).map((head) => [head.channel, head]));
    for (const key of desks.channels) {
      for (const name of modelsOf(nameIn(key))) {
        const row = rows.find(({ channel, model }) => channel === key && model === name);
        const due = heads.get(key)?.archived ? undefined : desks.deadlineOf(key, name);
        if (row?.at !== due)
          this.#wrong("M2", `the deadline of ${name} of ${nameIn(key)} is kept as ${row?.at}, and is ${due}`);
        const keys = (await storage.store.keys(key, name)).keys.map((one) => one.name).sort();
        const wanted = desks.confidences.keysOf(name, desks.oracle.now(key)[name])?.sort();
        if (wanted && keys.join() !== wanted.join())
          this.#wrong(
            "M4",
            `the keys of ${name} of ${nameIn(key)} are ${keys.join(", ")}, and should be ${wanted.join(", ")}`,
          );
      }
    }
  }

  #wrong(rule: string, text: string): void {
    this.#world.history.violate(rule, this.#world.clock.now, text);
  }
}

function positionOf({ epoch, offset, tag }: Fact): Position {
  return { epoch, offset, tag };
}
