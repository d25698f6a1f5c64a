import { existsSync } from "node:fs";
import { TandemError } from "@tandem/protocol";
import { nodeRuntime } from "@tandem/runtime/node";
import type { Configuration, Environment } from "@tandem/server";
import { createServer, stopOnSignals } from "@tandem/server";
import { loadDefinition } from "../definition.ts";
import { configurationOf, secretIn } from "../environment.ts";
import { CommandError, EXIT } from "../exit.ts";
import type { Output } from "../output.ts";

export interface ServeOptions {
  readonly port?: string;
  readonly host?: string;
  readonly data?: string;
  readonly config?: string;
  readonly static?: string;
  readonly check?: boolean;
}

/** Runs a server until it is told to stop. */
export async function serve(options: ServeOptions, environment: Environment, output: Output): Promise<void> {
  const configuration = configurationOf(environment, {
    TANDEM_PORT: options.port,
    TANDEM_HOST: options.host,
    TANDEM_DATA: options.data,
    TANDEM_CONFIG: options.config,
    TANDEM_STATIC: options.static,
  });
  if (configuration.static !== undefined && !existsSync(configuration.static)) {
    throw new CommandError(`There is no folder ${configuration.static} to serve (TANDEM_STATIC).`, EXIT.usage);
  }
  const { app, start, files } = await loadDefinition(configuration.config);
  if (options.check) return output.result({ ok: true, files }, "The configuration and the app definition are right.");
  const runtime = nodeRuntime({ level: configuration.logLevel, format: configuration.logFormat });
  const server = await createServer(app, { ...serverOptions(configuration), runtime }).catch((error: unknown) => {
    throw startFailure(error);
  });
  const stop = stopOnSignals({ stop: () => server.drain(), process, runtime });
  // A server that `tandem dev` started does not outlive it.
  process.on("disconnect", () => stop("tandem dev ended"));
  process.on("uncaughtException", (error) => {
    runtime.logger.error({ error }, "an error that nobody handled: the server stops, its supervisor starts it again");
    process.exit(EXIT.failure);
  });
  try {
    await start?.(server.application());
  } catch (error) {
    await server.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`The application's own start failed. ${reason}`, EXIT.failure);
  }
  const { url, port } = await server.listen().catch(async (error: unknown) => {
    await server.close();
    throw listenFailure(error, configuration);
  });
  const socket = `${url.replace(/^http/, "ws")}/ws`;
  // Whoever started this process (tandem dev) is told where it listens, and which files the definition is made of.
  process.send?.({ port, files });
  const lines = [
    `Tandem is running (${configuration.mode}).`,
    ...(configuration.static === undefined ? [] : [`  page       ${url}`]),
    `  WebSocket  ${socket}`,
    `  health     ${url}/readyz`,
    `  data       ${configuration.data}`,
  ];
  output.result({ url, socket, port, mode: configuration.mode, pid: process.pid }, lines.join("\n"));
}

function serverOptions(configuration: Configuration) {
  const { mode, secret, static: files, ...rest } = configuration;
  // In development a server has a secret at all times, so that `tandem token` works at once.
  const needed = mode === "development" && secret === undefined && configuration.jwks === undefined;
  return { ...rest, files, secret: needed ? secretIn(configuration.data) : secret };
}

function startFailure(error: unknown): unknown {
  if (error instanceof TandemError) return new CommandError(error.message, EXIT.failure, error.code);
  if (error instanceof RangeError) return new CommandError(error.message, EXIT.usage, "configuration");
  return error;
}

function listenFailure(error: unknown, { host, port }: Configuration): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    return new CommandError(
      `Port ${port} is in use: stop what listens there, or choose another with --port or TANDEM_PORT.`,
    );
  }
  if (code === "EACCES") return new CommandError(`Port ${port} may not be used by this user: choose one above 1023.`);
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return new CommandError(`${host} is no address of this machine: choose another with --host or TANDEM_HOST.`);
  }
  return error;
}
