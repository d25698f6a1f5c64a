/**
 * The server without its adapters: a node, its ports, and the log in memory. For those who bring adapters of their own, as
 * the simulator does.
 */
export type { Authenticator, Identity } from "./access/authenticator.ts";
export type { Revocation } from "./access/revocations.ts";
export type { Application } from "./application/application.ts";
export type { Bus, Envelope } from "./bus/bus.ts";
export type { Reply } from "./connection/reply.ts";
export { type Carriage, ResponseTransport } from "./connection/response-transport.ts";
export type { Transport, TransportEvents } from "./connection/transport.ts";
export type { Append, AppendResult, ChannelKey, Head, Log } from "./log/log.ts";
export { idsOf } from "./log/log.ts";
export { createMemoryLog } from "./log/memory.ts";
export { type MemorySnapshot, MemoryStore } from "./log/memory-store.ts";
export type { Vault } from "./model/vault.ts";
export { createNode, type Node } from "./node.ts";
