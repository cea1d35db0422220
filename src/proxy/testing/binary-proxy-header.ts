/** A PROXY header of version 2 with the length that its payload has, each character an octet. */
export function binaryHeader(versionAndCommand: number, family: number, payload: string): Buffer {
  const head = Buffer.from("\r\n\r\n\0\r\nQUIT\n\0\0\0\0", "latin1");
  head.writeUInt8(versionAndCommand, 12);
  head.writeUInt8(family, 13);
  head.writeUInt16BE(payload.length, 14);
  return Buffer.concat([head, Buffer.from(payload, "latin1")]);
}

/** The addresses and ports of a connection from `client`. */
export function ipv4(client: string): string {
  return `${client
    .split(".")
    .map((part) => String.fromCharCode(Number(part)))
    .join("")}\x0a\0\0\x01\x30\x39\x01\xbb`;
}

/** Of 16 octets, written as eight groups. */
export function ipv6(client: string): string {
  const groups = client.split(":").map((group) => Number.parseInt(group, 16));
  const octets = groups.map((group) => String.fromCharCode(group >> 8, group & 255)).join("");
  return `${octets}${"\0".repeat(15)}\x01\x30\x39\x01\xbb`;
}
