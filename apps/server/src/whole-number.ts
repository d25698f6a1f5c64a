import { CommandError, EXIT } from "./exit.ts";

/** The number that an option was given. @throws CommandError where it is none, or out of bounds */
export function wholeNumber(option: string, value: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const number = Number(value);
  if (value.trim() !== "" && Number.isSafeInteger(number) && number >= least && number <= most) return number;
  const upTo = most === Number.MAX_SAFE_INTEGER ? "" : ` to ${most}`;
  throw new CommandError(`${option} is a whole number from ${least}${upTo}.`, EXIT.usage);
}
