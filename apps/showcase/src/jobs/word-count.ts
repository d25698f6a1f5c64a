/** The result of a job that counts the words of a room. */
export interface WordCount {
  readonly messages: number;
  readonly words: number;
}

export function wordCountWords({ messages, words }: WordCount): string {
  return `${words} ${words === 1 ? "word" : "words"} in ${messages} ${messages === 1 ? "message" : "messages"}`;
}

/** Is this the result of a job? */
export function isWordCount(value: unknown): value is WordCount {
  return hasNumbers(value, ["messages", "words"]);
}

/** Are these fields there, and numbers? */
export function hasNumbers(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  const fields = value as Readonly<Record<string, unknown>>;
  return names.every((name) => typeof fields[name] === "number");
}

/** The room that a job's input names. */
export function roomOf(input: unknown): string | undefined {
  if (typeof input !== "object" || input === null || !("room" in input)) return undefined;
  return typeof input.room === "string" && /^[a-z0-9-]{1,40}$/.test(input.room) ? input.room : undefined;
}
