import { afterEach, expect, it, onTestFinished, vi } from "vitest";
import { browserActivity } from "./browser-activity.ts";
import { browserWake } from "./browser-wake.ts";
import { connectWebSocket } from "./websocket.ts";

afterEach(() => vi.unstubAllGlobals());

it("speaks through the platform's WebSocket: texts as texts, binary frames as bytes", () => {
  const sent: unknown[] = [];
  let socket: Record<string, unknown> = {};
  class FakeSocket {
    static readonly OPEN = 1;
    readyState = 0;
    onopen = () => {};
    onmessage = (_event: { data: unknown }) => {};
    onclose = (_event: { code: number; reason: string }) => {};
    constructor(url: string, protocol: string) {
      sent.push([url, protocol]);
      socket = this as unknown as Record<string, unknown>;
    }
    send(frame: unknown) {
      sent.push(frame);
    }
    close(code: number, reason: string) {
      sent.push([code, reason]);
    }
  }
  vi.stubGlobal("WebSocket", FakeSocket);
  const told: unknown[] = [];
  const connection = connectWebSocket("ws://a/ws", "tandem.v1.json", {
    opened: () => told.push("opened"),
    frame: (frame) => told.push(frame),
    closed: (code, reason) => told.push([code, reason]),
  });
  const fake = socket as unknown as FakeSocket;
  expect(socket.binaryType).toBe("arraybuffer");
  connection.send("too early");
  fake.readyState = 1;
  fake.onopen();
  fake.onmessage({ data: "[]" });
  fake.onmessage({ data: Uint8Array.of(1, 2).buffer });
  connection.send("[1]");
  connection.close(4000, "");
  fake.onclose({ code: 4003, reason: "internal" });
  expect(sent).toEqual([["ws://a/ws", "tandem.v1.json"], "[1]", [4000, ""]]);
  expect(told).toEqual(["opened", "[]", Uint8Array.of(1, 2), [4003, "internal"]]);
});

it("wakes when the network comes or goes, and when the page comes into view", () => {
  const page = new EventTarget() as EventTarget & { visibilityState: string };
  const world = new EventTarget();
  vi.stubGlobal("document", page);
  vi.stubGlobal("navigator", { onLine: false });
  vi.stubGlobal("addEventListener", world.addEventListener.bind(world));
  expect(browserWake.online()).toBe(false);
  let woken = 0;
  const stop = browserWake.listen(() => woken++);
  world.dispatchEvent(new Event("online"));
  world.dispatchEvent(new Event("offline"));
  page.visibilityState = "hidden";
  page.dispatchEvent(new Event("visibilitychange"));
  expect(woken).toBe(2);
  page.visibilityState = "visible";
  page.dispatchEvent(new Event("visibilitychange"));
  expect(woken).toBe(3);
  stop();
  world.dispatchEvent(new Event("online"));
  page.dispatchEvent(new Event("visibilitychange"));
  expect(woken).toBe(3);
});

it("is silent where there is no page", () => {
  expect(browserWake.online()).toBe(true);
  browserWake.listen(() => {})();
});

it("tells active, idle and away from the page's visibility and from input", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const page = new EventTarget() as EventTarget & { visibilityState: string };
  const world = new EventTarget();
  page.visibilityState = "visible";
  expect(browserActivity.now()).toBe("active");
  vi.stubGlobal("document", page);
  vi.stubGlobal("addEventListener", world.addEventListener.bind(world));
  const told: string[] = [];
  const stop = browserActivity.listen(() => told.push(browserActivity.now()));
  const input = () => world.dispatchEvent(new Event("pointermove"));
  const show = (state: "visible" | "hidden") => {
    page.visibilityState = state;
    page.dispatchEvent(new Event("visibilitychange"));
  };
  vi.advanceTimersByTime(50_000);
  input();
  vi.advanceTimersByTime(50_000);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(10_001);
  expect(told).toEqual(["idle"]);
  input();
  expect(told).toEqual(["idle", "active"]);
  show("hidden");
  input();
  show("visible");
  expect(told).toEqual(["idle", "active", "away", "active"]);
  stop();
  show("hidden");
  vi.advanceTimersByTime(100_000);
  expect(told).toHaveLength(4);
});
