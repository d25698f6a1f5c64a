/** What the command's exit code says. Told by `tandem --help`. */
export const EXIT = {
  ok: 0,
  /** What was asked for could not be done. */
  failure: 1,
  /** The command line, the configuration or the app definition is wrong: nothing was begun. */
  usage: 2,
  /** The server cannot be reached, or does not let this client in. */
  refused: 3,
} as const;

/** Ends the command with a sentence for people and an exit code for programs. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exit: number;
  /** For `--json`: a code of the error table where there is one. */
  readonly code: string;

  constructor(message: string, exit: number = EXIT.failure, code = "failed") {
    super(message);
    this.exit = exit;
    this.code = code;
  }
}
