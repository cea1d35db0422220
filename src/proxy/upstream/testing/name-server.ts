import { createSocket, type Socket } from "node:dgram";

const NXDOMAIN = 3;
const SERVFAIL = 2;

/** A DNS server (RFC 1035) that knows IPv4 addresses of one name, as a test likes. */
export class NameServer {
  addresses: readonly string[] = [];
  ttl = 0;
  isBroken = false;
  queries = 0;
  readonly #socket: Socket = createSocket("udp4");

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async start(): Promise<this> {
    this.#socket.on("message", (query, { port, address }) => this.#socket.send(this.#answer(query), port, address));
    await new Promise<void>((resolve) => this.#socket.bind(0, "127.0.0.1", resolve));
    return this;
  }

  stop(): Promise<void> {
    return new Promise((closed) => this.#socket.close(() => closed()));
  }

  #answer(query: Buffer): Buffer {
    this.queries++;
    let end = 12;
    while (query[end] !== 0) end += query[end]! + 1;
    const question = query.subarray(12, end + 5);
    const addresses = this.isBroken ? [] : this.addresses;
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    const code = this.isBroken ? SERVFAIL : addresses.length === 0 ? NXDOMAIN : 0;
    head.writeUInt16BE(0x8180 | code, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(addresses.length, 6);
    return Buffer.concat([head, question, ...addresses.map((address) => this.#record(address))]);
  }

  #record(address: string): Buffer {
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split(".").map(Number)]);
    record.writeUInt32BE(this.ttl, 6);
    return record;
  }
}
