import type { Client, ClientOptions, Connect } from "@tandem/client";
import { connectWebSocket, createClient, follow, following, presence, signals, unfollow } from "@tandem/client";
import type { Codec, FrameCodec } from "@tandem/protocol";
import { jsonCodec } from "@tandem/protocol";
import { msgpackCodec } from "@tandem/protocol/msgpack";
import { createMemoryLog, createServer, mintToken } from "@tandem/server";
import { app, GRANTS, SECRET } from "./app.ts";
import type { Taken } from "./corpus.ts";
import { storeCorpus } from "./corpus.ts";
import { useModels } from "./record-models.ts";

type FuzzClient = Client<typeof app>;

/** The member whose frames are recorded. */
const MEMBER = "ada";

const CODECS: Codec[] = [jsonCodec, msgpackCodec];

/** Records the corpus anew: what real clients say to a real server, in both codecs. @returns how many kinds of frames */
export async function record(): Promise<number> {
  const taken: Taken[] = [];
  // Silence of a second makes either side ping, so that liveness is in the corpus.
  const limits = { pingMs: 1_000, pongMs: 5_000 };
  const server = await createServer(app, { log: createMemoryLog(), secret: SECRET, port: 0, limits });
  const { port } = await server.listen();
  for (const codec of CODECS) {
    const connect: Connect = (url, subprotocol, events) => {
      const socket = connectWebSocket(url, subprotocol, events);
      return {
        send(frame) {
          taken.push({ codec, frame, user: MEMBER });
          socket.send(frame);
        },
        close: (code, reason) => socket.close(code, reason),
      };
    };
    const common = { url: `ws://127.0.0.1:${port}/ws`, codec: codec as FrameCodec, connect };
    const token = () => mintToken({ secret: SECRET, user: MEMBER, grants: GRANTS as never });
    const member = clientOf({ ...common, token });
    const guest = clientOf({ ...common, guest: { secret: "g".repeat(22), name: "Gus" } });
    await useAll(member, guest);
    await useModels(member, guest, codec.name);
    await Promise.all([member.close(), guest.close()]);
  }
  await server.close();
  return storeCorpus(taken);
}

function clientOf(options: ClientOptions): FuzzClient {
  return createClient<typeof app>(options);
}

/** Everything that the client library can do, once, so that each kind of message is said. */
async function useAll(member: FuzzClient, guest: FuzzClient): Promise<void> {
  const quiet = { onEvents: () => {} };
  const room = member.channel("room", "1");
  const note = member.channel("note", "1");
  const first = room.subscribe(quiet);
  member.channel("room", "2").subscribe({ ...quiet, from: { last: 20 }, lane: "bulk" });
  member.channel("feed", "1").subscribe({ ...quiet, lane: "critical" });
  await connected(member);
  await room.publish("message", { text: "hello", list: [1, 2.5, -3, null, true], more: { nested: { deeply: "é" } } })
    .durable;
  await Promise.all(["a", "b", "c"].map((text) => room.publish("message", text).durable));
  await note.publish("message", { text: "one", tone: "plain" }, { version: 2 }).durable;
  note.subscribe(quiet);
  // What was just written is asked for with `atLeast`.
  const page = await room.history({ limit: 2 });
  await room.history({ limit: 2, before: page.events[0]?.offset ?? 1 });
  member.authenticate();
  guest.channel("room", "3").subscribe(quiet);
  await guest.channel("room", "3").publish("message", 7).durable;
  const filter = { types: ["message"] as const, where: { text: { in: ["a", "b"] } } };
  member.channel("room", "4").subscribe({ ...quiet, filter });
  const here = presence(room, { state: { page: 1 } });
  const watched = presence(guest.channel("room", "1"), { state: { page: 1 } });
  const cursor = signals(room, "cursor");
  const typing = signals(room, "typing");
  await pause(200);
  here.update({ page: 2 });
  cursor.send({ x: 1, y: 2.5 });
  typing.send(true);
  await here.page({ limit: 10 });
  const followed = following(member, quiet);
  await follow(member, "room", "5");
  await follow(member, "note", "2");
  await unfollow(member, "note", "2");
  await pause(200);
  cursor.send(null);
  followed.stop();
  await pause(200);
  cursor.close();
  typing.close();
  here.close();
  watched.close();
  await pause(200);
  first.unsubscribe();
  await pause(2_500);
  // Coming back brings positions.
  member.disconnect();
  member.connect();
  await connected(member);
  await room.publish("message", "again").durable;
  await pause(200);
}

async function connected(client: FuzzClient): Promise<void> {
  while (client.status.get().kind !== "connected") await pause(10);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
