import { channelId, channelType } from "@tandem/protocol";

/** The channels that every connection of a user has, in the order in which they are told. */
export function personalOf(user: string): string[] {
  return [`user-urgent:${user}`, `user:${user}`, "tenant:all"];
}

/** May a user read this channel for being who they are? `undefined`: it is none of those, and grants tell. */
export function mayHave(user: string, channel: string): boolean | undefined {
  switch (channelType(channel)) {
    case "user":
    case "user-urgent":
      return channelId(channel) === user;
    case "tenant":
      return channelId(channel) === "all";
    default:
      return undefined;
  }
}
