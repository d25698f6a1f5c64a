export type { Authenticator, Credentials, Identity } from "./access/authenticator.ts";
export { type MintToken, mintToken } from "./access/jwt-token.ts";
export type { Revocation } from "./access/revocations.ts";
export type { Application, PublishOptions, SendOptions, SubscriptionHandler } from "./application/application.ts";
export type { Attendance } from "./application/attendance.ts";
export type { Consumer, ConsumerHandler, ConsumerOptions } from "./application/consumer.ts";
export type { StreamOptions, StreamWriter } from "./application/stream-writer.ts";
export type { Bus, BusMessage, Envelope } from "./bus/bus.ts";
export { createInProcessBus } from "./bus/in-process.ts";
export type { Transport, TransportEvents } from "./connection/transport.ts";
export { channelKey } from "./log/key.ts";
export type { Head, Log, LogEvent } from "./log/log.ts";
export { createMemoryLog } from "./log/memory.ts";
export { backupSqlite, restoreSqlite } from "./log/sqlite/backup.ts";
export { createSqliteLog, type SqliteLogOptions } from "./log/sqlite/sqlite.ts";
export { createNode, type Node, type NodeOptions } from "./node.ts";
export {
  type Configuration,
  ConfigurationError,
  type Environment,
  readConfiguration,
} from "./operations/configuration.ts";
export { developmentSecret } from "./operations/development-secret.ts";
export { stopOnSignals } from "./operations/stop-signals.ts";
export { createServer, LOG_FILE, type Server, type ServerOptions } from "./server.ts";
