import type { FrameCodec } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { Alarm } from "../../alarm.ts";
import type { Connect, Socket, SocketEvents } from "../connect.ts";
import type { Wake } from "../wake.ts";
import { HttpSocket } from "./http-socket.ts";
import type { Post } from "./post.ts";
import { postByFetch } from "./post.ts";

/** Milliseconds until a WebSocket is tried again: the first time, and at most. */
const FIRST_LOOK_MS = 15_000;
const LAST_LOOK_MS = 300_000;
/** Least milliseconds between two tries, however often the network changes. */
const LEAST_LOOK_MS = 5_000;
/** Milliseconds that a WebSocket has to open. */
const OPEN_MS = 5_000;

const NORMAL = 1000;
const GONE = 1006;

/** The transports of the other road, the better one first. */
export type OtherTransport = "sse" | "poll";

export interface OtherRoadPorts {
  readonly runtime: Runtime;
  readonly codec: FrameCodec;
  readonly wake: Wake;
  /** The road to come back to; left out: none. */
  readonly webSocket: Connect | undefined;
  /** This one works. */
  worked(transport: OtherTransport): void;
  readonly post?: Post | undefined;
}

/** Connects over HTTP, by the first transport that works; and looks from time to time whether a WebSocket does again. */
export class OtherRoad {
  readonly #ports: OtherRoadPorts;
  #lookAfter = FIRST_LOOK_MS;
  #asked = 0;

  constructor(ports: OtherRoadPorts) {
    this.#ports = ports;
  }

  connect(order: readonly OtherTransport[], url: string, subprotocol: string, events: SocketEvents): Socket {
    const { runtime, codec, post = postByFetch, worked } = this.#ports;
    const [first = "sse", ...others] = order;
    let isHeard = false;
    let stopLooking = () => {};
    const road = new HttpSocket(
      first,
      url,
      { runtime, codec, post, count: () => ++this.#asked },
      {
        opened: () => events.opened(),
        frame: (frame) => {
          if (!isHeard) {
            isHeard = true;
            worked(first);
            stopLooking = this.#look(url, subprotocol, () => events.moved?.());
          }
          events.frame(frame);
        },
        closed: (code, reason) => {
          stopLooking();
          const [next] = others;
          // Nothing came through: the next one, to which `hello` is said again.
          if (!isHeard && code === GONE && next) {
            socket = this.connect(others, url, subprotocol, events);
            return;
          }
          // Only what was short came through: the next one, when the client comes again.
          if (next && road.isHeldBack) worked(next);
          events.closed(code, reason);
        },
      },
    );
    let socket: Socket = road;
    return {
      get transport() {
        return socket.transport;
      },
      send: (frame) => socket.send(frame),
      close(code, reason) {
        stopLooking();
        socket.close(code, reason);
      },
    };
  }

  /** Tries a WebSocket, again after twice the time, and when the network changes. @returns the call that ends it */
  #look(url: string, subprotocol: string, opened: () => void): () => void {
    const { runtime, webSocket, wake } = this.#ports;
    if (!webSocket) return () => {};
    const alarm = new Alarm(runtime);
    let triedAt = runtime.elapsed();
    let trying: Socket | undefined;
    const again = () => {
      trying = undefined;
      alarm.set(this.#lookAfter, look);
      this.#lookAfter = Math.min(this.#lookAfter * 2, LAST_LOOK_MS);
    };
    const look = () => {
      if (trying) {
        trying.close(NORMAL, "");
        return again();
      }
      triedAt = runtime.elapsed();
      const tried = webSocket(url, subprotocol, {
        opened() {
          if (trying !== tried) return;
          stop();
          opened();
        },
        frame() {},
        closed: () => trying === tried && again(),
      });
      trying = tried;
      alarm.set(OPEN_MS, look);
    };
    again();
    const stopWaking = wake.listen(() => {
      if (wake.online() && !trying) alarm.set(Math.max(1, triedAt + LEAST_LOOK_MS - runtime.elapsed()), look);
    });
    const stop = () => {
      alarm.cancel();
      stopWaking();
      trying?.close(NORMAL, "");
      trying = undefined;
    };
    return stop;
  }
}
