import type { FrameCodec } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { Alarm } from "../alarm.ts";
import type { Connect, Socket, TransportName } from "./connect.ts";
import type { OtherRoad, OtherTransport } from "./http/other-road.ts";
import type { Post } from "./http/post.ts";
import type { RoadMemory } from "./road-memory.ts";
import type { Wake } from "./wake.ts";

/** Milliseconds to a WebSocket's first word: who is silent for longer swallows it. */
const SILENCE_MS = 5_000;
/** Failures in a row after which a WebSocket is taken to be blocked. */
const FAILURES = 2;
/** Milliseconds for which a page begins where the one before it ended. */
const MEMORY_MS = 3_600_000;

const GONE = 1006;

export interface RoadPorts {
  readonly runtime: Runtime;
  readonly codec: FrameCodec;
  readonly wake: Wake;
  readonly memory: RoadMemory;
  readonly webSocket: Connect;
  /** Loads the other road: a page that needs none does not load it. */
  load(): Promise<typeof OtherRoad>;
  /** How the other road posts. Default: by `fetch`. */
  readonly post?: Post;
}

/**
 * Connects by the first of these transports that works. A WebSocket that is swallowed, or that fails twice, is taken to be blocked:
 * then the other road is taken, and kept to until a WebSocket opens again.
 */
export function chooseRoad(transports: readonly TransportName[], ports: RoadPorts): Connect {
  const { runtime, codec, wake, memory, webSocket, load, post } = ports;
  const others = transports.filter((transport): transport is OtherTransport => transport !== "websocket");
  const hasWebSocket = others.length < transports.length;
  let failures = 0;
  let works: OtherTransport | undefined;
  let road: OtherRoad | undefined;
  let isWorking = false;
  const remember = (transport?: OtherTransport) => {
    works = transport;
    failures = 0;
    memory.set(transport ? `${transport} ${runtime.now() + MEMORY_MS}` : null);
  };
  const worked = (transport: OtherTransport) => {
    isWorking = true;
    remember(transport);
  };
  const [remembered, until] = (memory.get() ?? "").split(" ");
  if (Number(until) > runtime.now()) works = others.find((transport) => transport === remembered);

  return (url, subprotocol, events) => {
    const alarm = new Alarm(runtime);
    let socket: Socket | undefined;
    let isClosed = false;
    /** The server has said something; or the client has closed it: how it ends tells nothing of the road. */
    let isHeard = false;
    const end = (code: number, reason: string) => {
      alarm.cancel();
      if (!isClosed) events.closed(code, reason);
      isClosed = true;
    };
    const takeOther = async () => {
      socket = undefined;
      isWorking = false;
      try {
        const Road = await load();
        if (isClosed) return;
        road ??= new Road({ runtime, codec, wake, webSocket: hasWebSocket ? webSocket : undefined, worked, post });
        // What worked, then those after it.
        socket = road.connect(works ? others.slice(others.indexOf(works)) : others, url, subprotocol, {
          ...events,
          moved() {
            remember();
            events.moved?.();
          },
          closed(code, reason) {
            if (code === GONE && !isWorking) works = undefined;
            end(code, reason);
          },
        });
      } catch (error) {
        runtime.logger.warn({ error }, "the other road was not loaded");
        end(GONE, "");
      }
    };
    const takeWebSocket = () => {
      const fails = (): boolean => {
        alarm.cancel();
        if (isHeard || socket !== opened || others.length === 0) return false;
        failures++;
        return true;
      };
      const opened = webSocket(url, subprotocol, {
        opened: () => socket === opened && events.opened(),
        frame(frame) {
          if (socket !== opened) return;
          alarm.cancel();
          if (!isHeard) remember();
          isHeard = true;
          events.frame(frame);
        },
        closed(code, reason) {
          if (socket !== opened) return;
          if (fails() && failures >= FAILURES) {
            failures = 0;
            void takeOther();
          } else end(code, reason);
        },
      });
      socket = opened;
      if (others.length > 0) {
        alarm.set(SILENCE_MS, () => {
          if (!fails()) return;
          opened.close(4000, "");
          void takeOther();
        });
      }
    };
    if (hasWebSocket && !works) takeWebSocket();
    else void takeOther();
    return {
      get transport() {
        return socket?.transport;
      },
      send: (frame) => socket?.send(frame),
      close(code, reason) {
        alarm.cancel();
        isHeard = true;
        if (socket) return socket.close(code, reason);
        isClosed = true;
        runtime.defer(() => events.closed(code, reason));
      },
    };
  };
}
