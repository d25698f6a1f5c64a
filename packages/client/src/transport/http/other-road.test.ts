import { jsonFrames } from "@tandem/protocol";
import { expect, it } from "vitest";
import { VirtualRuntime } from "../../testing/virtual-runtime.ts";
import type { SocketEvents } from "../connect.ts";
import { OtherRoad } from "./other-road.ts";
import type { PostEvents, PostRequest } from "./post.ts";

const WELCOME = { type: "welcome", id: 1, limits: { frameBytes: 65_536, frameMessages: 512 } };

/** The other road, whose requests and whose tries of a WebSocket are listed. */
function stage({ comesBack = true } = {}) {
  const runtime = new VirtualRuntime();
  const requests: { readonly request: PostRequest; readonly events: PostEvents }[] = [];
  const tries: { readonly at: number; readonly events: SocketEvents; closedWith?: number }[] = [];
  const network = { changed: () => {} };
  const worked: string[] = [];
  const told: unknown[] = [];
  const road = new OtherRoad({
    runtime,
    codec: jsonFrames,
    wake: {
      online: () => true,
      listen(listener) {
        network.changed = listener;
        return () => {
          network.changed = () => {};
        };
      },
    },
    webSocket: comesBack
      ? (_url, _subprotocol, events) => {
          const tried: (typeof tries)[number] = { at: runtime.elapsed(), events };
          tries.push(tried);
          return {
            send() {},
            close(code) {
              tried.closedWith = code;
            },
          };
        }
      : undefined,
    worked: (transport) => worked.push(transport),
    post(request, events) {
      requests.push({ request, events });
      return () => {};
    },
  });
  const socket = road.connect(["sse", "poll"], "ws://test/ws", "tandem.v1.json", {
    opened: () => socket.send('[{"type":"hello","id":1}]'),
    frame: (frame) => void told.push(...JSON.parse(String(frame))),
    moved: () => told.push("moved"),
    closed: (code) => told.push(code),
  });
  return {
    runtime,
    requests,
    tries,
    network,
    worked,
    told,
    socket,
    async works() {
      await runtime.pass(0);
      requests.at(-1)?.events.text(`data: ${JSON.stringify([WELCOME])}\n\n`);
      await runtime.settle();
      // The stream goes on and on.
      const beat = () => {
        requests.at(-1)?.events.text(":\n\n");
        runtime.timer(10_000, beat);
      };
      beat();
    },
  };
}

it("T6: takes polls where no word of a stream comes", async () => {
  const { runtime, requests, worked, socket, told } = stage();
  await runtime.pass(4_000);
  await runtime.pass(50);
  expect(requests.map(({ request }) => request.accept)).toEqual(["text/event-stream", "application/json"]);
  expect(worked).toEqual([]);
  requests.at(-1)?.events.text(JSON.stringify([WELCOME]));
  requests.at(-1)?.events.ended(200, 0);
  expect([worked, socket.transport, told]).toEqual([["poll"], "poll", [WELCOME]]);
});

it("T6: takes polls where only short streams come through: each when it is over", async () => {
  const { runtime, requests, worked, told } = stage();
  await runtime.pass(0);
  requests.at(-1)?.events.text(`data: ${JSON.stringify([WELCOME])}\n\n`);
  requests.at(-1)?.events.ended(200, 0);
  await runtime.pass(50);
  expect([requests.length, worked]).toEqual([2, ["sse"]]);
  await runtime.pass(4_000);
  expect([worked, told]).toEqual([
    ["sse", "poll"],
    [WELCOME, 1006],
  ]);
});

it("T6: keeps to a stream that has come as it was sent, however long the next one takes", async () => {
  const { runtime, requests, worked } = stage();
  await runtime.pass(0);
  requests.at(-1)?.events.text(`data: ${JSON.stringify([WELCOME])}\n\n`);
  await runtime.pass(300);
  requests.at(-1)?.events.ended(200, 0);
  await runtime.pass(50);
  await runtime.pass(5_000);
  expect([requests.length, worked]).toEqual([3, ["sse"]]);
});

it("T6: tells that nothing works", async () => {
  const { runtime, requests, told } = stage();
  for (let failures = 0; failures < 2; failures++) {
    await runtime.pass(100);
    requests.at(-1)?.events.ended(403, 0);
  }
  await runtime.pass(100);
  expect([told, requests.length, runtime.timers]).toEqual([[1006], 2, 0]);
});

it("T6: tries a WebSocket after 15 seconds, then after twice the time, at most five minutes", async () => {
  const { runtime, tries, works } = stage();
  await works();
  while (tries.length < 8) {
    const before = tries.length;
    await runtime.pass(1_000);
    if (tries.length > before) tries.at(-1)?.events.closed(1006, "");
  }
  const waits = tries.map(({ at }, index) => at - (tries[index - 1]?.at ?? 0));
  expect(waits.map((ms) => Math.round(ms / 5_000) * 5)).toEqual([15, 30, 60, 120, 240, 300, 300, 300]);
});

it("T6: tries one when the network changes, but not all the time", async () => {
  const { runtime, tries, works, network } = stage();
  await works();
  for (let changes = 0; changes < 20; changes++) {
    network.changed();
    await runtime.pass(100);
  }
  expect(tries).toHaveLength(0);
  await runtime.pass(4_000);
  expect(tries).toHaveLength(1);
});

it("T6: gives up one that does not open, and moves to one that does", async () => {
  const { runtime, tries, works, told } = stage();
  await works();
  await runtime.pass(15_000);
  await runtime.pass(5_000);
  expect(tries[0]?.closedWith).toBe(1000);
  tries[0]?.events.opened();
  expect(told).toEqual([WELCOME]);
  await runtime.pass(30_000);
  tries[1]?.events.opened();
  expect([told, tries[1]?.closedWith]).toEqual([[WELCOME, "moved"], 1000]);
  await runtime.pass(600_000);
  expect(tries).toHaveLength(2);
});

it("stops trying when it is closed, and never begins where a WebSocket is not wanted", async () => {
  const { runtime, tries, works, socket } = stage();
  await works();
  socket.close(4000, "");
  const without = stage({ comesBack: false });
  await without.works();
  await runtime.pass(600_000);
  await without.runtime.pass(600_000);
  expect([...tries, ...without.tries]).toEqual([]);
});
