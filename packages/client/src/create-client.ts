import type { AppDefinition } from "@tandem/app";
import { jsonFrames } from "@tandem/protocol";
import { systemRuntime } from "@tandem/runtime";
import type { Client, ClientOptions } from "./client.ts";
import { clientOn } from "./client.ts";
import { browserWake } from "./transport/browser-wake.ts";
import { consoleLogger } from "./transport/console-logger.ts";
import { chooseRoad } from "./transport/road.ts";
import { storedMemory } from "./transport/road-memory.ts";
import { connectWebSocket } from "./transport/websocket.ts";

/**
 * Makes a client of an application, typed by its definition, and connects it.
 *
 * @example
 * import type app from "./tandem.config.ts";
 *
 * const client = createClient<typeof app>({ url: "wss://example.com/ws", token: fetchToken });
 * const room = client.channel("room", "42");
 * room.subscribe({ from: { last: 50 }, onEvents: (events) => show(events) });
 * await room.publish("message", { text: "Hello" }).durable;
 */
export function createClient<A extends AppDefinition = AppDefinition>(options: ClientOptions): Client<A> {
  const {
    runtime = systemRuntime(consoleLogger),
    wake = browserWake,
    codec = jsonFrames,
    transports = ["websocket", "sse", "poll"],
  } = options;
  const road = { runtime, wake, codec, memory: storedMemory, webSocket: connectWebSocket, load };
  return clientOn<A>(options, { runtime, connect: options.connect ?? chooseRoad(transports, road), wake, codec });
}

async function load() {
  return (await import("./transport/http/other-road.ts")).OtherRoad;
}
