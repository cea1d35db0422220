/**
 * The network of an address: a household or a server has a whole network of IPv6 (RFC 6177), so a limit for each address
 * would be none. An address of IPv4 stands for itself.
 */
export function networkOf(address: string, ipv6PrefixLength: number): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.replace(/%.*$/, "").split("::");
  const before = groupsOf(head);
  const after = groupsOf(tail ?? "");
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => 0);
  const groups = [...before, ...zeros, ...after];
  const kept = groups.map((group, index) => group & maskOf(ipv6PrefixLength - 16 * index));
  return `${kept.map((group) => group.toString(16)).join(":")}/${ipv6PrefixLength}`;
}

function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** Of sixteen bits. */
function maskOf(bits: number): number {
  return bits >= 16 ? 0xffff : bits <= 0 ? 0 : (0xffff << (16 - bits)) & 0xffff;
}
