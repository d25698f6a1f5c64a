import type { Client, EventFilter, Publication, Subscription, Wake } from "@tandem/client";
import { createClient } from "@tandem/client";
import type { Codec, ErrorCode, FenceToken, Filter, Lane, Position, Start } from "@tandem/protocol";
import { jsonCodec } from "@tandem/protocol";
import { msgpackCodec } from "@tandem/protocol/msgpack";
import type { EventType, Note, SimulatedApp, SimulatedChannel } from "./app.ts";
import type { Publish, Reader } from "./history.ts";
import type { Fact } from "./ledger.ts";
import { Process } from "./process.ts";
import { Roads } from "./roads.ts";
import type { Person } from "./tokens.ts";
import type { World } from "./world.ts";
import { worldLogger } from "./world-logger.ts";

/** How a visitor reads a channel. */
export interface ReadingOptions {
  readonly from?: Start | undefined;
  readonly lane?: Lane | undefined;
  readonly filter?: Filter | undefined;
}

/** A reading that goes on. */
interface Reading {
  readonly channel: string;
  readonly reader: Reader;
  readonly filter: Filter | undefined;
  readonly subscription: Subscription;
}

/** Someone with a client: what they ask of it, and what it tells them, goes into the history. */
export class Visitor {
  readonly name: string;
  readonly person: Person;
  /** No token is made for them before then. */
  bannedUntil = 0;
  /** There is a network, as the machine believes. */
  online = true;
  /** They did not ask to be away. */
  wanted = true;
  /** When last it was seen without a connection. */
  awayAt = 0;
  readonly #world: World;
  readonly #codec: Codec;
  readonly #roads: Roads;
  readonly #readings: Reading[] = [];
  readonly #unsettled = new Set<Publish>();
  /** Where earlier readings ended. */
  readonly #left = new Map<string, Position>();
  readonly #wakers = new Set<() => void>();
  #lives = 0;
  #process: Process | undefined;
  #client: Client<SimulatedApp> | undefined;

  constructor(name: string, person: Person, world: World) {
    this.name = name;
    this.person = person;
    this.#world = world;
    this.#roads = new Roads(world, world.roads.fork());
    this.#codec = world.random.chance(0.3) ? msgpackCodec : jsonCodec;
  }

  get process(): Process {
    if (!this.#process) throw new Error(`${this.name} was not started`);
    return this.#process;
  }

  get client(): Client<SimulatedApp> {
    if (!this.#client) throw new Error(`${this.name} was not started`);
    return this.#client;
  }

  /** The present instance: after a reload it is another one. */
  get instance(): string {
    return `${this.name}.${this.#lives}`;
  }

  /** A proxy has something for it, and keeps it. */
  get heldBack(): boolean {
    return this.#roads.heldBack;
  }

  get readings(): readonly Reading[] {
    return this.#readings;
  }

  get unsettled(): number {
    return this.#unsettled.size;
  }

  start(): void {
    const world = this.#world;
    this.#lives++;
    this.#process = new Process(
      this.instance,
      world.clock,
      world.random.fork(),
      worldLogger(world, this.name),
      world.skew() * 50,
    );
    const process = this.#process;
    const wake: Wake = {
      online: () => this.online,
      listen: (listener) => {
        this.#wakers.add(listener);
        return () => this.#wakers.delete(listener);
      },
    };
    this.#client = createClient<SimulatedApp>({
      url: "ws://simulated/ws",
      token: () => this.#token(),
      runtime: process.runtime,
      codec: this.#codec,
      wake,
      connect: this.#roads.connect({
        process,
        codec: this.#codec,
        wake,
        webSocket: (_url, _subprotocol, events) => {
          const decoder = new TextDecoder();
          const encoder = new TextEncoder();
          const text = this.#codec.name === "json";
          const socket = world.network.dial(process, this.#codec, {
            opened: () => events.opened(),
            frame: (bytes) => events.frame(text ? decoder.decode(bytes) : bytes),
            closed: (code, reason) => events.closed(code, reason),
          });
          return {
            send: (frame) => socket.send(typeof frame === "string" ? encoder.encode(frame) : frame),
            close: (code, reason) => socket.close(code, reason),
          };
        },
      }),
    });
    this.#client.status.subscribe(() => {
      if (process.alive) this.noteStatus();
    });
    this.noteStatus();
  }

  /** Looks whether it is connected. */
  noteStatus(): void {
    const status = this.client.status.get();
    this.#world.say(() => `${this.name} is ${JSON.stringify(status)}`);
    if (status.kind === "connected") this.#roads.note(status.transport);
    else this.awayAt = this.#world.clock.now;
  }

  get connected(): boolean {
    return this.client.status.get().kind === "connected";
  }

  #token(): Promise<string> {
    const { clock, tokens, random, climate } = this.#world;
    const { process } = this;
    return new Promise((resolve, reject) => {
      clock.after(random.around(10), process, () => {
        if (clock.now < this.bannedUntil) return reject(new Error("no token for this one"));
        resolve(tokens.mint(this.person, climate.tokenLife * random.between(0.5, 1.5)));
      });
    });
  }

  /** The page is loaded anew: what was in memory is gone. */
  reload(): void {
    const { clock, network, history, random } = this.#world;
    for (const connection of network.of(this.process)) {
      network.forget(connection);
      connection.clientGone(random.around(30));
    }
    this.process.crash();
    this.#wakers.clear();
    for (const publish of this.#unsettled) history.settle(publish, clock.now, { kind: "unknown", code: "crash" });
    this.#unsettled.clear();
    for (const reading of this.#readings.splice(0)) this.#end(reading);
    this.start();
    if (!this.wanted) this.client.disconnect();
  }

  /** The machine's network came, went, or the page was looked at. */
  wake(online: boolean): void {
    this.online = online;
    for (const listener of [...this.#wakers]) listener();
  }

  /** @param due the code with which an honest server refuses this */
  publish(channel: string, event: EventType, data: Note | object, due?: ErrorCode, fence?: FenceToken): void {
    const { clock, history } = this.#world;
    const n = (data as { n: number }).n;
    const key = `${this.person.tenant}/${channel}`;
    const publish = history.invoke({
      n,
      by: this.instance,
      channel: key,
      data: JSON.stringify(data),
      invokedAt: clock.now,
      due,
    });
    this.#unsettled.add(publish);
    const [type, id] = split(channel);
    const draft = this.#world.editions.draft(event, data);
    const publication: Publication = this.client.channel(type, id).publish(event, draft.data as Note, {
      fence,
      ...(draft.version === undefined ? {} : { version: draft.version }),
    });
    const note = () => {
      const status = publication.status.get();
      publish.statuses.push(status.kind);
      this.#world.say(() => `${this.name} publish ${n} is ${status.kind}`);
      if (status.kind === "queued" || status.kind === "sent") return;
      this.#unsettled.delete(publish);
      if (status.kind === "durable") history.settle(publish, clock.now, { kind: "ok", position: status.position });
      else if (status.kind === "rejected")
        history.settle(publish, clock.now, { kind: "fail", code: status.error.code });
      else history.settle(publish, clock.now, { kind: "unknown", code: status.error.code });
    };
    publication.status.subscribe(note);
    note();
  }

  subscribe(channel: string, { from, lane, filter }: ReadingOptions): void {
    const world = this.#world;
    const { clock, history } = world;
    const key = `${this.person.tenant}/${channel}`;
    const reader = history.reader(this.instance, this.person.user, key, filter);
    let begun = false;
    const begin = (position: Position, reset: boolean) => {
      begun = true;
      reader.given.push({ kind: "start", at: clock.now, position, reset });
    };
    if (from && "epoch" in from) begin(from, false);
    const [type, id] = split(channel);
    const subscription: Subscription = this.client.channel(type, id).subscribe({
      from,
      lane,
      filter: filter as EventFilter<EventType> | undefined,
      onEvents: (events, { position }) => {
        // One that joins a standing subscription learns its place from its first event.
        if (!begun) begin(before(world.ledger.ofId(key, events[0]?.id ?? "").at(-1)), false);
        for (const { offset, id, version, data } of events)
          reader.given.push({ kind: "event", at: clock.now, offset, id, version, data });
        reader.given.push({ kind: "stand", at: clock.now, position });
      },
      onReset: (reason, position) => {
        this.#world.tally.count("path", `told-reset.${reason}`);
        begin(position, true);
      },
      onState: (state) => {
        const { position } = subscription;
        if (state !== "ended" && !begun && position) begin(position, false);
      },
      onError: () => this.#leave(reading),
    });
    const reading: Reading = { channel, reader, filter, subscription };
    if (subscription.state.get() !== "ended") this.#readings.push(reading);
  }

  /** Where an earlier reading of a channel ended. */
  left(channel: string): Position | undefined {
    return this.#left.get(channel);
  }

  unsubscribe(reading: Reading): void {
    reading.subscription.unsubscribe();
    this.#leave(reading);
  }

  #leave(reading: Reading): void {
    const at = this.#readings.indexOf(reading);
    if (at < 0) return;
    this.#readings.splice(at, 1);
    this.#end(reading);
  }

  #end({ channel, reader, subscription }: Reading): void {
    reader.endedAt = this.#world.clock.now;
    const { position } = subscription;
    if (position) this.#left.set(channel, position);
  }
}

/** The position before an event. */
export function before(fact: Fact | undefined): Position {
  const { epoch, offset, tag } = fact?.previous ?? { epoch: fact?.epoch ?? "-", offset: 0, tag: "" };
  return { epoch, offset, tag };
}

/** Type and id of a channel. */
export function split(channel: string): [SimulatedChannel, string] {
  const colon = channel.indexOf(":");
  return [channel.slice(0, colon) as SimulatedChannel, channel.slice(colon + 1)];
}
