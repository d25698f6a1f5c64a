import type { TandemError } from "@tandem/protocol";
import { DEFAULT_LIMITS, jsonCodec } from "@tandem/protocol";
import { expect, it } from "vitest";
import type { Identity } from "../access/authenticator.ts";
import type { Outgoing } from "../delivery/message.ts";
import type { Carrier } from "./conversation.ts";
import { Conversation } from "./conversation.ts";
import { VirtualRuntime } from "./runtime.fixture.ts";

const ADA: Identity = {
  tenant: "acme",
  user: "ada",
  name: undefined,
  guest: false,
  grants: {},
  expires: undefined,
  issued: 0,
  token: "jti",
};

/** A conversation whose user can be revoked in the moment after it was looked at: before anybody goes on who waits for that. */
function stage(side: boolean) {
  const runtime = new VirtualRuntime();
  const told: unknown[] = [];
  const stands = { revoked: false, revoking: false, listeners: 0, places: 0 };
  const ports = {
    runtime,
    limits: DEFAULT_LIMITS,
    digest: (text: string) => text,
    authenticator: { authenticate: async () => ADA },
    refusalOf: () => {
      if (stands.revoking) queueMicrotask(() => (stands.revoked = true));
      return stands.revoked ? "token-revoked" : undefined;
    },
    turnstile: { admit: () => void stands.places++, leave: () => void stands.places-- },
    followings: {
      enter: async () => void stands.listeners++,
      leave: () => void stands.listeners--,
      known: () => ({ version: 0, channels: [] }),
    },
  };
  const carrier = {
    id: "c",
    ports,
    transport: { address: "192.0.2.1", side },
    outbox: { push: (_: string, message: Outgoing) => void told.push(JSON.parse(String(message.encoded(jsonCodec)))) },
    admitted() {},
    renewed() {},
    close(error: TandemError) {
      told.push({ type: "close", code: error.code });
      conversation.end(false);
    },
  };
  const conversation: Conversation = new Conversation(carrier as unknown as Carrier);
  return { conversation, told, stands, runtime };
}

it.each([true, false])(
  "G10: who is revoked in the moment of its admission is not let in (side connection: %s)",
  async (side) => {
    const { conversation, told, stands, runtime } = stage(side);
    stands.revoking = true;
    conversation.take({ type: "hello", id: 1, token: "t" });
    await runtime.settle();
    expect(told).toEqual([{ type: "close", code: "token-revoked" }]);
    expect(stands).toMatchObject({ listeners: 0, ...(side ? {} : { places: 0 }) });
  },
);

it("G10: a fresh token that is revoked in the moment of its refresh is refused", async () => {
  const { conversation, told, stands, runtime } = stage(true);
  conversation.take({ type: "hello", id: 1, token: "t" });
  await runtime.settle();
  stands.revoking = true;
  conversation.take({ type: "refresh", id: 2, token: "t" });
  await runtime.settle();
  expect(told).toMatchObject([{ type: "welcome" }, { type: "error", id: 2, code: "token-revoked" }]);
});
