import type { AppDefinition, ChannelType, SignalData, SignalName, SignalOutput } from "@tandem/app";
import type { TandemError } from "@tandem/protocol";
import type { Store } from "@tandem/runtime";
import type { Channel } from "../channel.ts";
import { browserActivity } from "../transport/browser-activity.ts";
import type { Use } from "./room.ts";
import { Rooms } from "./rooms.ts";
import { Snapshot } from "./snapshot.ts";

/** Another's newest signal. */
export interface Signalled<D> {
  /** Which of the user's devices signals: one user may have several. */
  readonly device: string;
  /** `undefined` where the room is so large that this client is not shown them. */
  readonly user: string | undefined;
  readonly data: D;
}

export interface SignalsOptions<D> {
  /** All that came in one frame, in one call. Data `null`: taken back, or the device has gone. */
  onSignals?(batch: readonly Signalled<D | null>[]): void;
  /** A signal was refused, or all of it has ended. */
  onError?(error: TandemError): void;
}

/** One kind of signal in a channel. */
export interface SignalStream<I, D> {
  /** Signals: at once, or as soon as the room's pace allows; of several only the latest goes out. Nothing is kept while there is no connection. */
  send(data: I | null): void;
  /** The others' newest signals, by device. */
  readonly latest: Store<ReadonlyMap<string, Signalled<D>>>;
  /** Ends it, and takes back what was signalled. */
  close(): void;
}

/**
 * Signals in a channel, and hears the others: cursors, typing. Signals are not stored; the latest wins. Who signals is present: where the application has
 * no `presence` of its own there, this enters without a state.
 *
 * @example
 * const cursors = signals(client.channel("room", "42"), "cursor", { onSignals: (batch) => draw(batch) });
 * onpointermove = ({ clientX: x, clientY: y }) => cursors.send({ x, y });
 */
export function signals<A extends AppDefinition, T extends ChannelType<A>, K extends SignalName<A, T>>(
  channel: Channel<A, T>,
  key: K,
  options: SignalsOptions<SignalOutput<A, T, K>> = {},
): SignalStream<SignalData<A, T, K>, SignalOutput<A, T, K>> {
  type Output = SignalOutput<A, T, K>;
  const rooms = channel.ride(Rooms);
  let sent = false;
  const signalled = <D>([device, data]: readonly [string, D]): Signalled<D> => ({
    device,
    user: room.userOf(device),
    data,
  });
  const use: Use = {
    enters: true,
    signals: true,
    onError: (error) => options.onError?.(error),
    onFrame(changed) {
      const ours = changed.get(key);
      if (!ours) return;
      latest.change();
      try {
        // The data's type is the application's word: the server holds every signal to its schema.
        options.onSignals?.([...ours].map((signal) => signalled(signal) as Signalled<Output | null>));
      } catch (error) {
        rooms.report(error);
      }
    },
  };
  const room = rooms.use(channel.name, use, browserActivity);
  const latest = new Snapshot<ReadonlyMap<string, Signalled<Output>>>(
    () => new Map([...room.board.latest(key)].map((signal) => [signal[0], signalled(signal) as Signalled<Output>])),
    rooms.report,
  );
  return {
    send(data) {
      sent = data !== null;
      room.signal(use, key, data);
    },
    latest,
    close() {
      if (sent) room.signal(use, key, null);
      room.remove(use);
    },
  };
}
