import type { Environment } from "@tandem/server";
import { Command, CommanderError } from "commander";
import manifest from "../package.json" with { type: "json" };
import { CommandError, EXIT } from "./exit.ts";
import type { Output } from "./output.ts";
import { terminalOutput } from "./output.ts";

const EXIT_CODES = `
Exit codes:
  0  done
  1  it could not be done
  2  the command line, the configuration or the app definition is wrong
  3  the server cannot be reached, or does not let this client in`;

/** Runs the command. Each sub-command is loaded when it is asked for. @returns the exit code */
export async function run(args: readonly string[], environment: Environment): Promise<number> {
  let json = args.includes("--json");
  const program = new Command("tandem")
    .description("Real-time infrastructure in which every channel is an ordered, durable log.")
    .version(manifest.version)
    .exitOverride()
    .showHelpAfterError("(tandem --help tells more)")
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", `${EXIT_CODES}\n\nSettings are environment variables: docs/configuration.md.`);
  const output = (): Output => terminalOutput(json);

  /** A sub-command with `--json` and examples. */
  function command(usage: string, description: string, examples: readonly string[]): Command {
    return program
      .command(usage)
      .description(description)
      .option("--json", "print results and errors as JSON, one object a line")
      .hook("preAction", (_, action) => {
        json = action.opts().json === true;
      })
      .addHelpText("after", `\nExamples:\n${examples.map((example) => `  ${example}`).join("\n")}`);
  }

  const serving = (made: Command) =>
    made
      .option("--port <port>", "port to listen on (TANDEM_PORT, default 8080)")
      .option("--host <host>", "address to listen on (TANDEM_HOST)")
      .option("--data <folder>", "folder of the database (TANDEM_DATA, default ./data)")
      .option("--config <file>", "app definition (TANDEM_CONFIG, default tandem.config.ts)")
      .option("--static <folder>", "files to serve at / (TANDEM_STATIC)");
  const connecting = (made: Command) =>
    made
      .option("--url <url>", "the server (TANDEM_URL, default ws://localhost:8080/ws)")
      .option("--token-file <file>", "file with the token (else TANDEM_TOKEN; without either, as a guest)")
      .option("--timeout <seconds>", "longest wait to get in", "10");

  serving(
    command("serve", "run a server", [
      "tandem serve",
      "tandem serve --port 9000 --data /var/lib/tandem",
      "tandem serve --check",
    ]),
  )
    .option("--check", "only look whether configuration and app definition are right")
    .action(async (options) => (await import("./commands/serve.ts")).serve(options, environment, output()));

  serving(
    command("dev", "run a server that is started anew when the app definition changes", [
      "tandem dev",
      "tandem dev --config app/tandem.config.ts",
    ]),
  ).action(async (options) => {
    const { json: _, ...flags } = options as Record<string, string>;
    const passed = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
    return (await import("./commands/dev.ts")).dev([...passed, ...(json ? ["--json"] : [])], environment, output());
  });

  command("token", "make a token with the server's secret", [
    "tandem token --user ada",
    "tandem token --user ada --grant 'room:*=read,publish' --grant 'news:*=read' --lifetime 8h",
    "TANDEM_TOKEN=$(tandem token --user ada) tandem tail room:42",
  ])
    .requiredOption("--user <user>", "the user's id")
    .option("--name <name>", "the user's name, as others see it")
    .option("--tenant <tenant>", "default: default")
    .option("--grant <pattern=rights>", "may be given again; default: *=read,publish", (value, all: string[] = []) => [
      ...all,
      value,
    ])
    .option("--lifetime <time>", "such as 30m, 8h or 7d", "1h")
    .option("--data <folder>", "data folder of the development server (TANDEM_DATA, default ./data)")
    .action(async (options) => (await import("./commands/token.ts")).token(options, environment, output()));

  connecting(
    command("publish <channel> <event> <data>", "publish an event; ends when it is durable", [
      `tandem publish room:42 message '{"text":"hello"}'`,
      "tandem publish room:42 message - < event.json",
    ]),
  )
    .option("--event-version <version>", "version of the event's schema that the data is of (default 1)")
    .action(async (channel, event, data, options) =>
      (await import("./commands/publish.ts")).publish(channel, event, data, options, environment, output()),
    );

  connecting(
    command("tail <channel>", "show a channel's events as they come", [
      "tandem tail room:42",
      "tandem tail room:42 --last 100 --count 100 --json",
    ]),
  )
    .option("--last <n>", "begin with the last n events", "10")
    .option("--count <n>", "end after n events")
    .action(async (channel, options) =>
      (await import("./commands/tail.ts")).tail(channel, options, environment, output()),
    );

  command("inspect [channel] [offset]", "show what the log holds: channels, one channel, one event", [
    "tandem inspect",
    "tandem inspect room:42",
    "tandem inspect room:42 17 --json",
  ])
    .option("--tenant <tenant>", "the channel's tenant", "default")
    .option("--limit <n>", "most channels to show", "1000")
    .option("--data <folder>", "folder of the database (TANDEM_DATA, default ./data)")
    .action(async (channel, offset, options) =>
      (await import("./commands/inspect.ts")).inspect(channel, offset, options, environment, output()),
    );

  command("backup <file>", "copy the log into a file, of a running server too", [
    "tandem backup backup.db",
    "tandem backup /backups/$(date +%F).db --data /var/lib/tandem",
  ])
    .option("--data <folder>", "folder of the database (TANDEM_DATA, default ./data)")
    .action(async (file, options) =>
      (await import("./commands/backup.ts")).backup(file, options, environment, output()),
    );

  command("restore <backup> [file]", "put a backup in the place of the log; the server must be stopped", [
    "tandem restore backup.db",
    "tandem restore backup.db --data /var/lib/tandem",
  ])
    .option("--data <folder>", "folder of the database (TANDEM_DATA, default ./data)")
    .action(async (file, target, options) =>
      (await import("./commands/restore.ts")).restore(file, target, options, environment, output()),
    );

  try {
    await program.parseAsync([...args], { from: "user" });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return tell(error, json);
  }
}

/** Says what went wrong, in a sentence; the stack only of what nobody thought of. */
function tell(error: unknown, json: boolean): number {
  const known = error instanceof CommandError;
  const message = error instanceof Error ? error.message : String(error);
  const exit = known ? error.exit : EXIT.failure;
  if (json) process.stderr.write(`${JSON.stringify({ error: { code: known ? error.code : "internal", message } })}\n`);
  else process.stderr.write(known ? `${message}\n` : `${error instanceof Error ? error.stack : message}\n`);
  return exit;
}
