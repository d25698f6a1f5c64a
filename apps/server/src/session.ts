import { readFileSync } from "node:fs";
import type { Client } from "@tandem/client";
import { createClient } from "@tandem/client";
import { silentLogger, systemRuntime } from "@tandem/runtime";
import type { Environment } from "@tandem/server";
import { CommandError, EXIT } from "./exit.ts";

export interface SessionOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  /** Seconds to get in. */
  readonly timeout: string;
}

/** A client of a running server. */
export interface Session {
  readonly client: Client;
  /** Rejects when the server cannot be reached in time, or does not let this client in. Never resolves. */
  readonly refused: Promise<never>;
  close(): Promise<void>;
}

/**
 * Connects to a running server. The token comes from a file or from TANDEM_TOKEN, never from the command line or an address,
 * where other users of the machine and histories would see it. Without one: as a guest.
 */
export function openSession(options: SessionOptions, environment: Environment): Session {
  const url = options.url ?? environment.TANDEM_URL ?? "ws://localhost:8080/ws";
  checkUrl(url);
  const token = options.tokenFile === undefined ? environment.TANDEM_TOKEN : readToken(options.tokenFile);
  const seconds = Number(options.timeout);
  if (!(seconds > 0 && seconds <= 3_600))
    throw new CommandError("--timeout is a number of seconds up to 3600.", EXIT.usage);
  const client = createClient({
    url,
    runtime: systemRuntime(silentLogger),
    ...(token === undefined ? {} : { token: () => token }),
  });
  let timer: NodeJS.Timeout | undefined;
  const refused = new Promise<never>((_, reject) => {
    const look = () => {
      const status = client.status.get();
      if (status.kind === "blocked")
        reject(new CommandError(`The server refused: ${status.message}`, EXIT.refused, status.code));
      if (status.kind === "needs-auth")
        reject(new CommandError("The token is over, or was revoked.", EXIT.refused, status.reason));
      if (status.kind === "connected") clearTimeout(timer);
    };
    client.status.subscribe(look);
    timer = setTimeout(
      () => reject(new CommandError(`No server answered at ${url}.`, EXIT.refused, "disconnected")),
      seconds * 1_000,
    );
  });
  refused.catch(() => undefined);
  return {
    client,
    refused,
    close() {
      clearTimeout(timer);
      return client.close();
    },
  };
}

function checkUrl(url: string): void {
  const parsed = URL.parse(url);
  if (!parsed || (parsed.protocol !== "ws:" && parsed.protocol !== "wss:")) {
    throw new CommandError(`"${url}" is no address of a server: write one such as ws://localhost:8080/ws.`, EXIT.usage);
  }
  if (parsed.search !== "" || parsed.username !== "" || parsed.password !== "") {
    throw new CommandError(
      "The address may hold no query and no password: a token goes into TANDEM_TOKEN or --token-file.",
      EXIT.usage,
    );
  }
}

function readToken(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`The token file cannot be read. ${reason}`, EXIT.usage);
  }
}

/** `room:42` as type and id. @throws CommandError */
export function parseChannel(name: string): { readonly type: string; readonly id: string } {
  const colon = name.indexOf(":");
  if (colon < 1) throw new CommandError(`"${name}" is no channel: write type:id, such as room:42.`, EXIT.usage);
  return { type: name.slice(0, colon), id: name.slice(colon + 1) };
}
