import { createClient } from "@tandem/client";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type { Behaviour } from "../../server/e2e/middlebox.ts";
import { Middlebox } from "../../server/e2e/middlebox.ts";
import type app from "../tandem.config.ts";
import { launchChromium } from "./chromium.ts";
import { Crowd } from "./crowd.ts";
import { ServerProcess } from "./server-process.ts";
import type { Visit } from "./visitor.ts";
import { Visitor } from "./visitor.ts";

type VisitOptions = Parameters<typeof Visitor.arrive>[2];

/** The real server, a browser and everybody at the page, for the tests of one `describe`. No page may have thrown at the end of a test. */
export class Stage {
  readonly #visitors: Visitor[] = [];
  readonly #closings: (() => Promise<unknown>)[] = [];
  #server: ServerProcess | undefined;
  #browser: Browser | undefined;

  constructor() {
    beforeAll(async () => {
      [this.#server, this.#browser] = await Promise.all([ServerProcess.start(), launchChromium()]);
    });
    afterEach(async () => {
      const errors = this.#visitors.flatMap((visitor) => visitor.errors);
      await Promise.all(this.#visitors.splice(0).map((visitor) => visitor.leave()));
      for (const close of this.#closings.splice(0)) await close();
      expect(errors).toEqual([]);
    });
    afterAll(async () => {
      await this.#browser?.close();
      await this.#server?.stop();
    });
  }

  get server(): ServerProcess {
    if (this.#server === undefined) throw new Error("The server has not been started.");
    return this.#server;
  }

  /** @param visit `url` left out: straight to the server. `browser` left out: in a profile of its own in the stage's browser. */
  async arrive(
    { browser = this.#browser, ...visit }: Omit<Visit, "url"> & { url?: string; browser?: Browser },
    options?: VisitOptions,
  ): Promise<Visitor> {
    if (browser === undefined) throw new Error("The browser has not been started.");
    const visitor = await Visitor.arrive(browser, { url: this.server.url, ...visit }, options);
    this.#visitors.push(visitor);
    return visitor;
  }

  /** Two people in one room, both connected. */
  async two(room: string): Promise<[Visitor, Visitor]> {
    const pair = await Promise.all([this.arrive({ room, name: "Ada" }), this.arrive({ room, name: "Grace" })]);
    for (const visitor of pair) await visitor.connection("connected").waitFor();
    return pair;
  }

  /** A proxy before the server. `origin`: what a visitor opens. */
  async proxy(behaviour: Partial<Behaviour>): Promise<{ proxy: Middlebox; origin: string }> {
    const proxy = await Middlebox.start([Number(new URL(this.server.url).port)], behaviour);
    this.#closings.push(() => proxy.close());
    return { proxy, origin: `http://127.0.0.1:${proxy.port}` };
  }

  /** Members without a page. */
  async crowd(room: string, count: number): Promise<Crowd> {
    const crowd = await Crowd.enter(this.server.url, room, count);
    this.#closings.push(() => crowd.leave());
    return crowd;
  }

  /** Fills a room with `message 1` to `message N`. */
  async fill(room: string, count: number): Promise<void> {
    const url = `${this.server.url.replace("http", "ws")}/ws`;
    const client = createClient<typeof app>({ url, guest: { name: "Filler" } });
    const channel = client.channel("room", room);
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    await Promise.all(
      numbers.map((number) => channel.publish("message", { text: `message ${number}`, name: "Filler" }).durable),
    );
    await client.close();
  }
}

/** Looks again and again until it is so. A minute: after a crash, clients come back in their own time. */
export function soon<T>(read: () => T | Promise<T>) {
  return expect.poll(read, { timeout: 60_000 });
}
