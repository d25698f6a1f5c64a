import type { Client, Connect, Wake } from "@tandem/client";
import { createClient } from "@tandem/client";
import type { app } from "../servers/app.ts";
import { LeanSocket } from "../wire/lean-socket.ts";
import type { Member, MemberEvents, MemberOptions } from "./member.ts";

const GONE = 1006;

/** The client library, on sockets that cost little. Its page is told when the network goes and comes, as browsers do. */
export class TandemMember implements Member {
  readonly channel: string;
  readonly #client: Client<typeof app>;
  #online = true;
  #woken = (): void => {};
  /** Ends the present connection as a lost network would. */
  #lose = (): void => {};

  constructor({ port, channel }: MemberOptions, events: MemberEvents) {
    this.channel = channel;
    this.#client = createClient<typeof app>({
      url: `ws://127.0.0.1:${port}/ws`,
      connect: this.#connect(port),
      wake: this.#wake(),
    });
    this.#client.status.subscribe(() => {
      const status = this.#client.status.get();
      if (status.kind === "blocked") events.failed(new Error(`a client gave up: ${status.code}`));
    });
    this.#client.channel("feed", channel.slice(channel.indexOf(":") + 1)).subscribe({
      onEvents: (brought) => {
        // Nothing is erased here: every event has its payload.
        for (const { data } of brought) events.message(Number(data?.seq));
      },
      onState: (state) => state === "live" && events.live(),
      onReset: (reason) => events.failed(new Error(`a subscription was reset: ${reason}`)),
      onError: (error) => events.failed(error),
    });
  }

  cut(): void {
    this.#online = false;
    this.#lose();
    this.#woken();
  }

  restore(): void {
    this.#online = true;
    this.#woken();
  }

  close(): void {
    void this.#client.close();
    this.#lose();
  }

  #connect(port: number): Connect {
    return (_url, subprotocol, events) => {
      let over = false;
      const closed = (code: number, reason: string): void => {
        if (over) return;
        over = true;
        events.closed(code, reason);
      };
      if (!this.#online) {
        setImmediate(() => closed(GONE, ""));
        return { send() {}, close: () => closed(GONE, "") };
      }
      const socket = new LeanSocket(
        { port, path: "/ws", subprotocol },
        {
          opened: () => events.opened(),
          message: (bytes, start, end) => events.frame(bytes.toString("utf8", start, end)),
          closed: (reason, code) => closed(code, reason),
        },
      );
      this.#lose = () => {
        socket.destroy();
        closed(GONE, "");
      };
      return {
        send: (frame) => socket.send(frame as string),
        close: (code, reason) => {
          socket.destroy();
          setImmediate(() => closed(code, reason));
        },
      };
    };
  }

  #wake(): Wake {
    return {
      online: () => this.#online,
      listen: (woken) => {
        this.#woken = woken;
        return () => {
          this.#woken = () => {};
        };
      },
    };
  }
}
