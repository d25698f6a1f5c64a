import type { ClientMessage, ServerMessage } from "@tandem/protocol";
import { cutsOff } from "../overflow.ts";
import type { Dialogue, Flush } from "./dialogue.ts";
import type { Scene } from "./scene.ts";
import type { Watcher } from "./watcher.ts";

/** The window grows to this many times its first size. */
const MOST_WINDOW = 4;

/** The share of it that the most urgent lane may fill. */
const LANE_SHARE = 1.25;

/** What is handed over with the last of the credit: one batch of live events, one piece of the log. */
const LAST_PIECE = 49_152;

/** Without acknowledged progress a connection stands at least this long, in milliseconds: 30 s, less what a node that was paused is late. */
const PATIENCE_MS = 20_000;

interface Sent {
  readonly bytes: number;
  readonly delivers: boolean;
  /** Bytes that had been acknowledged when it was sent. */
  readonly before: number;
}

/** The frames on the way, oldest first. */
interface Way {
  readonly frames: Sent[];
  sent: number;
  acknowledged: number;
  /** Most bytes that were acknowledged between a frame and its acknowledgement: the window is twice of what that says at most. */
  carried: number;
  progressedAt: number;
}

/** D5, D6, D12: no more is on the way than the window allows; who makes progress is not sent off, and not as too slow without reason. */
export class Credit implements Watcher {
  readonly #scene: Scene;
  readonly #ways = new WeakMap<Dialogue, Way>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  #of(dialogue: Dialogue): Way {
    let way = this.#ways.get(dialogue);
    if (!way) {
      way = { frames: [], sent: 0, acknowledged: 0, carried: 0, progressedAt: this.#scene.clock.now };
      this.#ways.set(dialogue, way);
    }
    return way;
  }

  asked(dialogue: Dialogue, message: ClientMessage): void {
    if (message.type !== "received") return;
    const way = this.#of(dialogue);
    while (way.frames.length > 0 && way.sent - way.frames.length < message.frames) {
      const frame = way.frames.shift();
      way.acknowledged += frame?.bytes ?? 0;
      way.carried = Math.max(way.carried, way.acknowledged - (frame?.before ?? 0));
      way.progressedAt = this.#scene.clock.now;
    }
  }

  told(dialogue: Dialogue, message: ServerMessage): void {
    if (message.type !== "error") return;
    const still = this.#scene.clock.now - this.#of(dialogue).progressedAt;
    if (message.code === "no-progress" && still < PATIENCE_MS)
      dialogue.wrong("D6", `closed for want of progress, ${Math.round(still)} ms after there was some`);
    if (message.code === "too-slow" && ![...dialogue.standing.keys()].some(cutsOff))
      dialogue.wrong("D12", "closed as too slow, and reads no channel that asks for it");
  }

  flushed(dialogue: Dialogue, { frames }: Flush): void {
    const way = this.#of(dialogue);
    for (const { bytes, delivers } of frames) {
      way.sent++;
      way.frames.push({ bytes, delivers, before: way.acknowledged });
    }
    if (!frames.some(({ delivers }) => delivers)) return;
    const { windowBytes } = this.#scene.limits;
    const window = Math.min(MOST_WINDOW * windowBytes, Math.max(windowBytes, 2 * way.carried));
    const onTheWay = way.frames.reduce((sum, { bytes, delivers }) => sum + (delivers ? bytes : 0), 0);
    if (onTheWay > window * LANE_SHARE + LAST_PIECE)
      dialogue.wrong("G11", `${onTheWay} bytes of events are on the way without acknowledgement`);
  }
}
