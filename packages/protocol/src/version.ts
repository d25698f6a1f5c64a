/** The wire protocol's version. A change of any message schema must raise it (held by `schema-hash.test.ts`). */
export const PROTOCOL_VERSION = 1;

/** The WebSocket subprotocols of this version, by codec name. */
export const SUBPROTOCOLS = {
  json: "tandem.v1.json",
  msgpack: "tandem.v1.msgpack",
} as const;

export type CodecName = keyof typeof SUBPROTOCOLS;
