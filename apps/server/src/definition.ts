import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { AppDefinition } from "@tandem/app";
import type { Application } from "@tandem/server";
import { CommandError, EXIT } from "./exit.ts";

export interface Definition {
  readonly app: AppDefinition;
  /** The module's export `start`: code of the application that runs in the server's process. */
  readonly start: ((application: Application) => unknown) | undefined;
  /** The file, and those of the application that it imports. */
  readonly files: readonly string[];
}

/**
 * Loads an app definition: the default export of a TypeScript or JavaScript module, and what it exports as `start`.
 *
 * @throws CommandError with a sentence that says what to do
 */
export async function loadDefinition(file: string): Promise<Definition> {
  const path = resolve(file);
  if (!existsSync(path)) {
    throw new CommandError(
      `There is no app definition ${path}: write one (see docs/concepts.md), or name another with --config or TANDEM_CONFIG.`,
      EXIT.usage,
    );
  }
  const files = new Set<string>();
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      if (resolved.url.startsWith("file:") && !resolved.url.includes("/node_modules/"))
        files.add(fileURLToPath(resolved.url));
      return resolved;
    },
  });
  try {
    const module = (await import(pathToFileURL(path).href)) as { default?: unknown; start?: unknown };
    if (!isDefinition(module.default)) {
      throw new CommandError(
        `${path} has no app definition as its default export: export default defineApp({ … }).`,
        EXIT.usage,
      );
    }
    if (module.start !== undefined && typeof module.start !== "function") {
      throw new CommandError(`${path} exports a start that is no function.`, EXIT.usage);
    }
    return { app: module.default, start: module.start as Definition["start"], files: [...files] };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new CommandError(`The app definition ${path} cannot be loaded. ${reason}${place(error, path)}`, EXIT.usage);
  } finally {
    hooks.deregister();
  }
}

function isDefinition(value: unknown): value is AppDefinition {
  if (typeof value !== "object" || value === null || !("channels" in value)) return false;
  const { channels } = value;
  if (typeof channels !== "object" || channels === null) return false;
  return Object.values(channels).every((channel: unknown) => {
    return typeof channel === "object" && channel !== null && "events" in channel && channel.events instanceof Map;
  });
}

/** The line of the definition in which it went wrong, where the error tells. */
function place(error: unknown, path: string): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const line = stack.split("\n").find((entry) => entry.includes(path));
  return line === undefined ? "" : `\n${line.trim()}`;
}
