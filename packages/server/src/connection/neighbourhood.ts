/** Groups of an IPv6 address that name one customer's network; what follows is his own to choose. */
const NETWORK_GROUPS = 4;

/**
 * The name under which an address is counted: an IPv4 address by itself, an IPv6 address by its first 64 bits, for whoever has one of
 * those has all of them.
 */
export function neighbourhood(address: string): string {
  if (!address.includes(":")) return address;
  const [plain = ""] = address.toLowerCase().split("%");
  const [head = "", tail] = plain.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const after = tail === "" ? [] : tail.split(":");
    // An IPv4 address at the end stands for two groups.
    const length = after.length + (tail.includes(".") ? 1 : 0);
    while (groups.length + length < 8) groups.push("0");
    groups.push(...after);
  }
  return `${groups
    .slice(0, NETWORK_GROUPS)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}
