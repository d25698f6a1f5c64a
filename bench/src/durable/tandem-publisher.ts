import { once } from "node:events";
import type { ClientMessageInput, ServerMessage } from "@tandem/protocol";
import { jsonCodec, mintProducer } from "@tandem/protocol";
import { systemRuntime } from "@tandem/runtime";
import { WebSocket } from "ws";
import type { Publisher, PublisherEvents } from "./load.ts";
import type { Sending } from "./work.ts";
import { COMMAND, EVENT, MODEL, PAYLOAD } from "./work.ts";

const runtime = systemRuntime();

/**
 * A publisher on Tandem's own wire: the codec and a bare WebSocket, and the frames that the client library would send. The
 * library itself would cost the load more than the server spends, on the same two cores.
 */
export async function connectTandem(
  url: string,
  channel: string,
  events: PublisherEvents,
  sending: Sending = "publish",
): Promise<Publisher> {
  const socket = new WebSocket(url, jsonCodec.subprotocol, { perMessageDeflate: false });
  const post = (messages: readonly string[]): void => socket.send(jsonCodec.join(messages));
  const encode = (message: ClientMessageInput): string => jsonCodec.encode(message);
  const producer = mintProducer(runtime.now(), runtime.randomId());
  const what =
    sending === "publish"
      ? `"event":"${EVENT}","data":${PAYLOAD}`
      : `"model":"${MODEL}","command":"${COMMAND}","nonce":"${runtime.randomId()}","input":${PAYLOAD}`;
  const tail = `,"channel":"${channel}",${what},"producer":"${producer}"`;
  let seq = 0;
  let answered = 0;
  let frames = 0;
  let closing = false;
  let welcomed = (): void => {};
  const welcome = new Promise<void>((resolve) => {
    welcomed = resolve;
  });

  const take = (messages: readonly ServerMessage[]): void => {
    let count = 0;
    for (const message of messages) {
      if (message.type === "published") {
        answered++;
        // Ids go up with the sequence: an answer out of turn, or the same one twice, would show here.
        if (message.id !== answered + 1 || message.duplicate) throw new Error(`answer ${message.id} came out of turn`);
        count++;
      } else if (message.type === "welcome") welcomed();
      else if (message.type === "ping") post([encode({ type: "pong" })]);
      else throw new Error(`the server answered ${JSON.stringify(message)}`);
    }
    if (count > 0) events.acknowledged(count);
  };
  socket.on("message", (data, binary) => {
    frames++;
    try {
      take(jsonCodec.decode(binary ? new Uint8Array() : data.toString()) as ServerMessage[]);
    } catch (error) {
      events.failed(error instanceof Error ? error : new Error(String(error)));
    }
  });
  socket.on("error", (error) => events.failed(error));
  socket.on("close", (code) => {
    if (!closing) events.failed(new Error(`the server closed a publisher's connection with ${code}`));
  });
  await once(socket, "open");
  post([encode({ type: "hello", id: 1, guest: { secret: runtime.randomId() } })]);
  await welcome;
  return {
    publish(count) {
      const messages: string[] = [];
      for (let at = 0; at < count; at++) {
        seq++;
        messages.push(`{"type":"${sending}","id":${seq + 1}${tail},"seq":${seq}}`);
      }
      messages.push(encode({ type: "received", frames }));
      post(messages);
    },
    async close() {
      closing = true;
      if (socket.readyState === WebSocket.CLOSED) return;
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}
