import { jsonFrames } from "@tandem/protocol";
import type { ClientOptions } from "../client.ts";
import { clientOn } from "../client.ts";
import { ScriptedServer } from "./scripted-server.ts";
import { VirtualRuntime } from "./virtual-runtime.ts";

/** A client in a world of a test's own: its time, its network state, its server. */
export function world(options: Partial<ClientOptions> = {}) {
  const runtime = new VirtualRuntime();
  const server = new ScriptedServer(runtime);
  const network = { online: true, changed: () => {} };
  const wake = {
    online: () => network.online,
    listen: (listener: () => void) => {
      network.changed = listener;
      return () => {
        network.changed = () => {};
      };
    },
  };
  const ports = { runtime, connect: server.connect, wake, codec: options.codec ?? jsonFrames };
  const client = clientOn({ url: "ws://test/ws", ...options }, ports);
  /** Why connections were lost, so far. */
  const losses: (string | undefined)[] = [];
  client.status.subscribe(() => {
    const now = client.status.get();
    if (now.kind === "reconnecting") losses.push(now.reason);
  });
  return {
    losses,
    runtime,
    server,
    client,
    network,
    /** A client that is welcomed already. */
    async connected(...welcome: Parameters<ScriptedServer["present"]["welcome"]>) {
      await runtime.settle();
      await server.present.welcome(...welcome);
      return server.present;
    },
    /** The connection is lost; the client comes back and is welcomed. */
    async reconnected(...welcome: Parameters<ScriptedServer["present"]["welcome"]>) {
      const before = server.connections.length;
      await server.present.end();
      while (server.connections.length === before) await runtime.pass(100);
      await server.present.welcome(...welcome);
      return server.present;
    },
  };
}
