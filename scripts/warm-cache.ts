/**
 * Opens and closes a log once, so that Node.js keeps the stripped sources of its threads where `NODE_COMPILE_CACHE` says.
 * Started with a cache that is still empty, many threads would each compile the stripper for themselves, which is slow and can
 * trip V8's code registry (nodejs/node 64500).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "@tandem/server";
import app from "../apps/showcase/tandem.config.ts";

const data = mkdtempSync(join(tmpdir(), "tandem-warm-"));
const server = await createServer(app, { data, secret: "0123456789abcdef0123456789abcdef" });
await server.close();
rmSync(data, { recursive: true });
