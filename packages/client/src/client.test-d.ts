import { channel, defineApp } from "@tandem/app";
import { defineModel, reasons } from "@tandem/model";
import type { Position, TandemError } from "@tandem/protocol";
import { expectTypeOf, test } from "vitest";
import type { Client } from "./client.ts";
import { createClient } from "./create-client.ts";
import { follow, following } from "./following/following.ts";
import { model } from "./model/model.ts";
import { presence } from "./presence/presence.ts";
import { signals } from "./presence/signals.ts";

/** A Standard Schema of types only: nothing of these tests is run. */
declare function schema<I, O = I>(): {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => { readonly value: O };
    readonly types?: { readonly input: I; readonly output: O };
  };
};

const app = defineApp({
  channels: {
    room: channel({
      events: {
        message: schema<{ text: string; tone?: string }, { text: string; tone: string }>(),
        joined: schema<{ at: string }, { at: number }>(),
      },
    }),
    desk: channel({
      events: {},
      presence: { state: schema<{ page: string }, { page: number }>(), near: ({ page }) => String(page.toFixed()) },
      signals: { cursor: schema<{ x: number }>(), typing: schema<boolean>() },
    }),
    order: channel({ events: { placed: schema<{ total: number }>() } }),
  },
});

const client = createClient<typeof app>({ url: "ws://127.0.0.1/ws", autoConnect: false });
const room = client.channel("room", "42");

const counter = defineModel({
  name: "counter",
  initial: () => ({ value: 0 }),
  reasons: reasons<{ code: "full"; room: number }>(),
  events: { added: (state, data: { by: number }) => ({ value: state.value + data.by }) },
  commands: { add: { input: schema<{ by: number }>(), decide: (_, { by }) => [{ type: "added", data: { by } }] } },
});
const switches = defineModel({
  name: "switches",
  initial: () => ({ on: false }),
  events: { turned: (_, data: { on: boolean }) => ({ on: data.on }) },
  commands: { turn: { input: schema<{ on: boolean }>(), decide: (_, data) => [{ type: "turned", data }] } },
});
const models = defineApp({ channels: { lab: channel({ events: {}, models: { count: counter } }) } });
const modelled = createClient<typeof models>({ url: "ws://127.0.0.1/ws", autoConnect: false });

test("channel names are those of the application", () => {
  expectTypeOf(client).toEqualTypeOf<Client<typeof app>>();
  client.channel("order", "1");
  // @ts-expect-error there is no such channel type
  client.channel("rooms", "1");
  // @ts-expect-error an id is a text
  client.channel("room", 1);
});

test("a filter names events of the channel's type, and any field", () => {
  room.subscribe({ filter: { types: ["joined"], where: { at: { min: 3 } } }, onEvents: () => undefined });
  // @ts-expect-error there is no such event
  room.subscribe({ filter: { types: ["left"] }, onEvents: () => undefined });
  // @ts-expect-error a condition is a value, a set or a range
  room.subscribe({ filter: { where: { at: { above: 3 } } }, onEvents: () => undefined });
});

test("events and their payloads are those of the channel's type", () => {
  room.publish("message", { text: "hello" });
  room.publish("message", { text: "hello", tone: "loud" }, { version: 2 });
  room.publish("joined", { at: "12" });
  // @ts-expect-error there is no such event
  room.publish("massage", { text: "hello" });
  // @ts-expect-error this is an event of another channel type
  room.publish("placed", { total: 1 });
  // @ts-expect-error the text is missing
  room.publish("message", {});
  // @ts-expect-error a text is no number
  room.publish("message", { text: 1 });
  // @ts-expect-error what is published is the schema's input, not its output
  room.publish("joined", { at: 12 });
});

test("a publication knows what was published, and what became of it", () => {
  const publication = room.publish("message", { text: "hello" });
  expectTypeOf(publication.event).toEqualTypeOf<"message">();
  expectTypeOf(publication.data.text).toEqualTypeOf<string>();
  expectTypeOf(publication.id).toEqualTypeOf<string | undefined>();
  expectTypeOf(publication.durable).toEqualTypeOf<Promise<Position>>();
  const status = publication.status.get();
  if (status.kind === "durable") expectTypeOf(status.position).toEqualTypeOf<Position>();
  else if (status.kind === "rejected" || status.kind === "unknown")
    expectTypeOf(status.error).toEqualTypeOf<TandemError>();
  else expectTypeOf(status.kind).toEqualTypeOf<"queued" | "sent">();
});

test("events are told apart by their type, and may have been redacted", () => {
  room.subscribe({
    onEvents(events) {
      for (const event of events) {
        expectTypeOf(event.type).toEqualTypeOf<"message" | "joined">();
        if (event.redacted) {
          expectTypeOf(event.data).toEqualTypeOf<null>();
        } else if (event.type === "message") {
          expectTypeOf(event.data).toEqualTypeOf<{ text: string; tone: string }>();
          // @ts-expect-error a message has no such field
          void event.data.at;
        } else {
          expectTypeOf(event.data.at).toEqualTypeOf<number>();
        }
      }
    },
    onReset: (reason) => expectTypeOf(reason).toEqualTypeOf<"epoch" | "trimmed" | "rewritten" | "ahead">(),
  });
  // @ts-expect-error a subscription without a handler
  room.subscribe({ from: { last: 5 } });
  // @ts-expect-error there is no such lane
  room.subscribe({ lane: "urgent", onEvents: () => {} });
  expectTypeOf(room.history().then(({ events }) => events[0]?.type)).toEqualTypeOf<
    Promise<"message" | "joined" | undefined>
  >();
});

test("a status is told apart by its kind", () => {
  const status = client.status.get();
  if (status.kind === "reconnecting") expectTypeOf(status.nextTry).toEqualTypeOf<number>();
  if (status.kind === "blocked") expectTypeOf(status.message).toEqualTypeOf<string>();
  // @ts-expect-error there is no such kind
  void (status.kind === "broken");
});

test("without a definition every channel and event goes", () => {
  const untyped = createClient({ url: "ws://127.0.0.1/ws", autoConnect: false });
  untyped.channel("anything", "1").publish("whatever", { any: "thing" });
});

test("presence and signals are those of the channel's type", () => {
  const desk = client.channel("desk", "1");
  const here = presence(desk, { state: { page: "1" } });
  here.update({ page: "2" });
  // @ts-expect-error what one says is the schema's input
  here.update({ page: 2 });
  // @ts-expect-error what one says is the schema's input
  presence(desk, { state: { page: 1 } });
  expectTypeOf(here.members.get()[0]?.state).toEqualTypeOf<{ page: number } | undefined>();
  expectTypeOf(here.members.get()[0]?.devices[0]?.state).toEqualTypeOf<{ page: number } | undefined>();
  const cursors = signals(desk, "cursor", {
    onSignals: (batch) => expectTypeOf(batch[0]?.data).toEqualTypeOf<{ x: number } | null | undefined>(),
  });
  cursors.send({ x: 1 });
  cursors.send(null);
  // @ts-expect-error a cursor is no flag
  cursors.send(true);
  signals(desk, "typing").send(true);
  // @ts-expect-error there is no such signal
  signals(desk, "cursors");
  // @ts-expect-error this channel type declares no signals
  signals(room, "cursor");
  expectTypeOf(cursors.latest.get().get("device")?.data).toEqualTypeOf<{ x: number } | undefined>();
});

test("what is followed is of any channel type of the application", () => {
  following(client, {
    onEvents: (events, { channel }) => {
      expectTypeOf(channel).toEqualTypeOf<string>();
      for (const event of events) {
        expectTypeOf(event.type).toEqualTypeOf<"message" | "joined" | "placed">();
        if (event.type === "placed" && !event.redacted) expectTypeOf(event.data).toEqualTypeOf<{ total: number }>();
      }
    },
  });
  follow(client, "order", "1");
  // @ts-expect-error there is no such channel type
  follow(client, "orders", "1");
});

test("a model is the one of the channel's type, with its commands, state and reasons", () => {
  const lab = modelled.channel("lab", "1");
  const use = model(lab, "count", counter);
  const state = use.state.get();
  if (state.kind === "ready") expectTypeOf(state.value).toEqualTypeOf<{ value: number }>();
  else if (state.kind === "loading") expectTypeOf(state.value).toEqualTypeOf<{ value: number } | undefined>();
  else expectTypeOf(state.error).toEqualTypeOf<TandemError>();
  const sent = use.send("add", { by: 1 });
  const status = sent.status.get();
  if (status.kind === "rejected" && status.reason) {
    expectTypeOf(status.reason).toEqualTypeOf<{ code: "full"; room: number }>();
  }
  if (status.kind === "confirmed") expectTypeOf(status.position).toEqualTypeOf<Position>();
  use.send("add", { by: 1 }, { fence: { name: "count/lock", token: 3 } });
  // @ts-expect-error there is no such command
  use.send("subtract", { by: 1 });
  // @ts-expect-error a number is no text
  use.send("add", { by: "1" });
  // @ts-expect-error there is no such model
  model(lab, "counts", counter);
  // @ts-expect-error this is the definition of another model
  model(lab, "count", switches);
  // @ts-expect-error this channel type declares no models
  model(room, "count", counter);
  expectTypeOf(use.at({ epoch: "e", offset: 1, tag: "" })).toEqualTypeOf<Promise<{ value: number }>>();
});
