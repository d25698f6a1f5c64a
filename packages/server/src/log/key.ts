import type { ChannelKey } from "./log.ts";

/** The key of a tenant's channel. Tenants are apart in every name that the server uses inside. */
export function channelKey(tenant: string, channel: string): ChannelKey {
  return `${tenant}/${channel}`;
}

export function tenantOf(key: ChannelKey): string {
  return key.slice(0, key.indexOf("/"));
}

/** The channel's name as its tenant knows it: `room:42`. */
export function nameOf(key: ChannelKey): string {
  return key.slice(key.indexOf("/") + 1);
}

/** The model of a lock, which is named `{model}/{lock}`. */
export function modelOfFence(name: string): string {
  return name.slice(0, name.indexOf("/"));
}
