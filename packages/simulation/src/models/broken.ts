/** What is not as it has to be. */
export interface Broken {
  readonly rule: string;
  readonly text: string;
}

/** An event of a model, and what it came of. */
export interface ModelFact {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly author: string | undefined;
  readonly time: number;
  /** The name of the command that made it; `undefined`: a deadline. */
  readonly command: string | undefined;
}

export function broken(rule: string, text: string): Broken {
  return { rule, text };
}
