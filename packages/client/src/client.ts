import type { AppDefinition, ChannelType } from "@tandem/app";
import type { FrameCodec } from "@tandem/protocol";
import { channelName } from "@tandem/protocol";
import type { Runtime, Store } from "@tandem/runtime";
import type { Channel } from "./channel.ts";
import { Connection } from "./connection/connection.ts";
import type { Link, Traffic } from "./connection/link.ts";
import type { Identity, Status } from "./connection/status.ts";
import { Outbox } from "./outbox/outbox.ts";
import type { Rider } from "./rider.ts";
import { HistoryPages } from "./subscription/history.ts";
import { Subscriptions } from "./subscription/subscriptions.ts";
import type { Connect, TransportName } from "./transport/connect.ts";
import type { Wake } from "./transport/wake.ts";

export interface ClientOptions {
  /** Where the server is: `wss://example.com/ws`. */
  readonly url: string;
  /** Gives a fresh token each time it is called: at each connection, before a token ends, and when one was refused. */
  readonly token?: () => Promise<string> | string;
  /** Without a token: a guest. The same secret (22 to 64 letters of base64url) is the same guest; random by default. */
  readonly guest?: { readonly secret?: string; readonly name?: string };
  /** Default JSON; `msgpackCodec` comes from `@tandem/client/msgpack`. */
  readonly codec?: FrameCodec;
  /** Most publishes that are not settled, default 1,000. What is over it is rejected with `queue-full`. */
  readonly queue?: number;
  /** Most publishes on their way at a time, default 128; never more than the server allows. */
  readonly inFlight?: number;
  /** What may carry the connection, in the order in which it is tried. Default: WebSocket, server-sent events, long polls. */
  readonly transports?: readonly TransportName[];
  /** Connect at once, the default. */
  readonly autoConnect?: boolean;
  /** The world outside; each has a default for browsers and Node.js. */
  readonly runtime?: Runtime;
  readonly connect?: Connect;
  readonly wake?: Wake;
}

/** One user's client: a connection that is kept, and what was published and subscribed over it. */
export interface Client<A extends AppDefinition = AppDefinition> {
  readonly status: Store<Status>;
  /** Who the server says this client is; `undefined` before the first connection. A client stays one user's. */
  readonly identity: Store<Identity | undefined>;
  /** Publishes that are not settled yet. */
  readonly pending: Store<number>;
  /** @throws RangeError when that is not a channel's name */
  channel<T extends ChannelType<A>>(type: T, id: string): Channel<A, T>;
  /** Connects after `disconnect`, or tries again now. */
  connect(): void;
  /** Goes away until `connect`. What is not settled is kept. */
  disconnect(): void;
  /** Asks for a fresh token now and brings it to the server. */
  authenticate(): void;
  /** Ends the client. Publishes that are not settled end as `unknown` when they were sent, as `rejected` when not. */
  close(): Promise<void>;
}

const QUEUE = 1_000;
const IN_FLIGHT = 128;

/** A client on the ports given. */
export function clientOn<A extends AppDefinition>(
  options: ClientOptions,
  ports: { readonly runtime: Runtime; readonly connect: Connect; readonly wake: Wake; readonly codec: FrameCodec },
): Client<A> {
  const { runtime } = ports;
  const { queue = QUEUE, inFlight = IN_FLIGHT } = options;
  const outbox = new Outbox(runtime, { queue, inFlight });
  const subscriptions = new Subscriptions(runtime, outbox.written);
  const pages = new HistoryPages(runtime, outbox.written);
  const riders: Rider[] = [subscriptions, pages, outbox];
  let present: Link | undefined;
  let closed = false;
  const takerOf = (type: string) => riders.find(({ checks }) => checks?.has(type));
  const traffic: Traffic = {
    attach(link) {
      present = link;
      for (const rider of riders) rider.attach(link);
    },
    detach() {
      present = undefined;
      for (const rider of riders.toReversed()) rider.detach();
    },
    fill() {
      for (const rider of riders) rider.fill?.();
    },
    message: (message) => (takerOf(message.type) ?? subscriptions).message?.(message),
    frameEnd() {
      for (const rider of riders) rider.frameEnd?.();
    },
    checkOf: (type) => takerOf(type)?.checks?.get(type),
  };
  function ride<R extends Rider>(Kind: new (runtime: Runtime, outbox: Outbox) => R): R {
    let rider = riders.find((known): known is R => known instanceof Kind);
    if (!rider) {
      rider = new Kind(runtime, outbox);
      riders.push(rider);
      if (present) rider.attach(present);
      if (closed) rider.close();
    }
    return rider;
  }
  const guest = { secret: options.guest?.secret ?? runtime.randomId(), name: options.guest?.name };
  const connection = new Connection(options.url, { token: options.token, guest }, { ...ports, traffic });
  const client: Client<A> = {
    status: connection.status,
    identity: connection.identity,
    pending: outbox.pending,
    channel<T extends ChannelType<A>>(type: T, id: string) {
      const name = channelName(type, id);
      // The types of events are the application's word: the server holds every publish to them.
      return {
        name,
        ride,
        publish: (event, data, options) => outbox.publish(name, event, data, options),
        subscribe: (wanted) => subscriptions.subscribe(name, wanted),
        history: (query = {}) => pages.fetch(name, query),
      } as Channel<A, T>;
    },
    connect: () => connection.connect(),
    disconnect: () => connection.disconnect(),
    authenticate: () => connection.authenticate(),
    close() {
      const gone = connection.close();
      closed = true;
      for (const rider of riders) rider.close();
      return gone;
    },
  };
  if (options.autoConnect !== false) connection.connect();
  return client;
}
