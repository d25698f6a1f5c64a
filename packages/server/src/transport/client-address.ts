import type { IncomingMessage } from "node:http";
import { BlockList, isIP, isIPv4 } from "node:net";
import { isNetwork } from "../operations/network.ts";

/** The networks whose word on where a client comes from is believed. */
export type TrustedProxies = BlockList;

/**
 * Reads networks written as addresses or in CIDR form, such as `10.0.0.0/8`, `::1` or `192.168.1.7`.
 *
 * @throws RangeError with a sentence on the first that is neither
 */
export function trustedProxies(networks: readonly string[]): TrustedProxies {
  const list = new BlockList();
  for (const network of networks) {
    if (!isNetwork(network)) {
      throw new RangeError(`"${network}" is not a network: write an address or a range such as 10.0.0.0/8`);
    }
    const [address = "", bits] = network.split("/");
    const family = isIPv4(address) ? "ipv4" : "ipv6";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/**
 * Where a client comes from: the socket's peer; or, where that is a trusted proxy, the nearest address in
 * `X-Forwarded-For` that is not one. What a client itself wrote into that header stands further left and is never reached.
 */
export function clientAddress(request: IncomingMessage, trusted: TrustedProxies): string {
  let address = plain(request.socket.remoteAddress ?? "");
  const header = request.headers["x-forwarded-for"];
  const hops = (Array.isArray(header) ? header.join(",") : (header ?? "")).split(",").map((hop) => plain(hop.trim()));
  while (hops.length > 0 && isTrusted(address, trusted)) {
    const hop = hops.pop();
    if (hop === undefined || isIP(hop) === 0) break;
    address = hop;
  }
  return address;
}

function isTrusted(address: string, trusted: TrustedProxies): boolean {
  return isIP(address) !== 0 && trusted.check(address, isIPv4(address) ? "ipv4" : "ipv6");
}

/** An IPv4 address that came through an IPv6 socket, as IPv4. */
function plain(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
