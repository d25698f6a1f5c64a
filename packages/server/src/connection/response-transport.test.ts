import { expect, it } from "vitest";
import { cluster } from "../cluster.fixture.ts";
import type { Reply } from "./reply.ts";
import { ResponseTransport } from "./response-transport.ts";

it("G10 T5: a poll whose token ends tells that, and nothing that it held", async () => {
  const world = await cluster();
  const token = world.token("ada", { expires: world.runtime.now() + 5_000 });
  let body = "";
  const reply: Reply = {
    buffered: 0,
    begin() {},
    write() {},
    end: (bytes) => {
      body = Buffer.from(bytes ?? []).toString();
    },
    cut() {},
    onGone() {},
  };
  const options = { side: false, address: "1.2.3.4", runtime: world.runtime };
  const transport = new ResponseTransport(reply, "poll", options);
  transport.carry(world.node().accept(transport), [JSON.stringify([{ type: "hello", id: 1, token }])]);
  await world.advance(4_000);
  expect(body).toBe("");
  await world.advance(3_000);
  expect(JSON.parse(body)).toMatchObject([
    { type: "error", code: "needs-auth" },
    { type: "close", code: 4004 },
  ]);
});
