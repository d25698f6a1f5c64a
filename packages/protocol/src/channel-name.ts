import * as v from "valibot";

const TYPE = /^[a-z][a-z0-9-]{0,31}$/;
const ID = /^[A-Za-z0-9_.~@+-][A-Za-z0-9_.:~@+-]{0,127}$/;

/**
 * Is this a channel's name, `type:id`? Names are plain ASCII and compared letter by letter: there is no case,
 * Unicode or percent form by which one channel could be named twice.
 */
export function isChannelName(name: string): boolean {
  const colon = name.indexOf(":");
  return colon > 0 && TYPE.test(name.slice(0, colon)) && ID.test(name.slice(colon + 1));
}

/** A channel's full name. Length at most 160. */
export const ChannelNameSchema = v.pipe(
  v.string(),
  v.maxLength(160),
  v.check(isChannelName, "a channel is named type:id in plain ASCII, such as room:42"),
);

/** The declared type in a channel's name: `room` of `room:42`. */
export function channelType(name: string): string {
  return name.slice(0, name.indexOf(":"));
}

/** The id in a channel's name: `42` of `room:42`. */
export function channelId(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

/** The name of channel `id` of type `type`. Throws a `RangeError` when that is not a channel's name. */
export function channelName(type: string, id: string): string {
  const name = `${type}:${id}`;
  if (!isChannelName(name)) {
    throw new RangeError(`"${name}" is not a channel name: use type:id, letters, digits and _ . : ~ @ + - only`);
  }
  return name;
}

/**
 * Does a grant's pattern cover a channel? A pattern is a channel's name in which a final `*` stands for any rest:
 * `room:42`, `room:team-*`, `room:*`, or `*` for every channel of the tenant.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  if (pattern === "*") return true;
  if (!pattern.endsWith("*")) return pattern === name;
  const prefix = pattern.slice(0, -1);
  return prefix.includes(":") && name.length > prefix.length && name.startsWith(prefix);
}
