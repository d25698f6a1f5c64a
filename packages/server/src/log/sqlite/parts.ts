/** The SQLite log and what it is made of, for those who measure it. An application takes `createServer`. */
export { type Append, DEFAULT_LOG_BOUNDS } from "../log.ts";
export { Committer } from "./committer.ts";
export { openToWrite } from "./database.ts";
export { createSqliteLog } from "./sqlite.ts";
