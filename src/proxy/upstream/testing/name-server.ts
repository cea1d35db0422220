import { createSocket, type Socket } from "node:dgram";

const NXDOMAIN = 3;
const SERVFAIL = 2;

/** What a name's SRV record says (RFC 2782). */
export interface Service {
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

const SRV = 33;

/** A DNS server (RFC 1035) that knows the same IPv4 addresses and services of every name, as a test likes. */
export class NameServer {
  addresses: readonly string[] = [];
  services: readonly Service[] = [];
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
    const records = this.isBroken ? [] : this.#records(query.readUInt16BE(end + 1));
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    const code = this.isBroken ? SERVFAIL : records.length === 0 ? NXDOMAIN : 0;
    head.writeUInt16BE(0x8180 | code, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(records.length, 6);
    return Buffer.concat([head, question, ...records]);
  }

  #records(type: number): Buffer[] {
    if (type === SRV) return this.services.map((service) => this.#record(SRV, dataOf(service)));
    return this.addresses.map((address) => this.#record(1, Buffer.from(address.split(".").map(Number))));
  }

  #record(type: number, data: Buffer): Buffer {
    const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length]);
    head.writeUInt32BE(this.ttl, 6);
    return Buffer.concat([head, data]);
  }
}

function dataOf({ target, port, priority, weight }: Service): Buffer {
  const numbers = Buffer.alloc(6);
  for (const [index, value] of [priority, weight, port].entries()) numbers.writeUInt16BE(value, 2 * index);
  const labels = target.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  return Buffer.concat([numbers, ...labels, Buffer.alloc(1)]);
}
