import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HpackDecoder } from "./hpack-decoder.ts";
import { HpackEncoder } from "./hpack-encoder.ts";

const MAX_BYTES = 65_536;

/** A block of hexadecimal digits, in the groups of the RFC. */
function read(decoder: HpackDecoder, hex: string, maxBytes = MAX_BYTES): string | undefined {
  const octets = Buffer.from(hex.replace(/\s/g, ""), "hex");
  const list = decoder.decode(octets, 0, octets.length, maxBytes);
  return list?.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\n`)).join("");
}

const REQUESTS = [
  ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n",
  ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\ncache-control: no-cache\n",
  ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value\n",
];
const date = (second: string) => `date: Mon, 21 Oct 2013 20:13:${second} GMT\n`;
const PLACE = "location: https://www.example.com\n";
const COOKIE = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n";
const RESPONSES = [
  `:status: 302\ncache-control: private\n${date("21")}${PLACE}`,
  `:status: 307\ncache-control: private\n${date("21")}${PLACE}`,
  `:status: 200\ncache-control: private\n${date("22")}${PLACE}content-encoding: gzip\n${COOKIE}`,
];
/** The responses of the RFC have a table of 256 octets, which a block says first. */
const SMALL_TABLE = "3fe101";

/** RFC 7541 Appendix C: blocks that one decoder reads one after another, and what they are. */
const EXAMPLES: Readonly<Record<string, readonly (readonly [hex: string, fields: string])[]>> = {
  "C.2.1": [["400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", "custom-key: custom-header\n"]],
  "C.2.2": [["040c 2f73 616d 706c 652f 7061 7468", ":path: /sample/path\n"]],
  "C.2.3": [["1008 7061 7373 776f 7264 0673 6563 7265 74", "password: secret\n"]],
  "C.2.4": [["82", ":method: GET\n"]],
  "C.3": [
    ["8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", REQUESTS[0]!],
    ["8286 84be 5808 6e6f 2d63 6163 6865", REQUESTS[1]!],
    ["8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", REQUESTS[2]!],
  ],
  "C.4": [
    ["8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", REQUESTS[0]!],
    ["8286 84be 5886 a8eb 1064 9cbf", REQUESTS[1]!],
    ["8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", REQUESTS[2]!],
  ],
  "C.5": [
    [
      `${SMALL_TABLE} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32
       3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
      RESPONSES[0]!,
    ],
    ["4803 3330 37c1 c0bf", RESPONSES[1]!],
    [
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d
       4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572
       7369 6f6e 3d31`,
      RESPONSES[2]!,
    ],
  ],
  "C.6": [
    [
      `${SMALL_TABLE} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad
       1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
      RESPONSES[0]!,
    ],
    ["4883 640e ffc1 c0bf", RESPONSES[1]!],
    [
      `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf
       cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
      RESPONSES[2]!,
    ],
  ],
};

describe("a header block", () => {
  for (const [section, blocks] of Object.entries(EXAMPLES))
    it(`of RFC 7541 ${section} is read as it says`, () => {
      const decoder = new HpackDecoder();
      for (const [hex, fields] of blocks) assert.equal(read(decoder, hex), fields);
    });

  const faults: Readonly<Record<string, string>> = {
    "has the index 0": "80",
    "has an index beyond both tables": "be",
    "has a name beyond both tables": "7f0001 61",
    "ends within a number": "7f",
    "has a number without an end": "ff80 8080 8080 8080 8080 01",
    "has a number larger than anything": "ffff ffff ff7f",
    "ends where a name should be": "40",
    "ends where a value should be": "4001 61",
    "ends within a string": "4005 6161",
    "has a string in the Huffman code with eight bits of padding": "4001 6182 1fff",
    "has a string in the Huffman code with zeros for padding": "4001 6181 18",
    "has a string in the Huffman code with the end of string in it": "4001 6184 ffff fffc",
    "makes the table larger than it may be": "3fe2 1f",
    "makes the table another size behind a field": "82 3fe1 01",
  };
  for (const [what, hex] of Object.entries(faults))
    it(`that ${what} is not valid`, () => {
      assert.equal(read(new HpackDecoder(), hex), undefined);
    });

  it("may change the table's size twice before its first field, which lets go what was in it", () => {
    const decoder = new HpackDecoder();
    assert.equal(read(decoder, "4001 6101 62"), "a: b\n");
    assert.equal(read(decoder, "20 3fe1 1f be"), undefined);
    assert.equal(read(decoder, "20 3fe1 1f 82"), ":method: GET\n");
  });

  it("that is too large is read to its end, and what it adds to the table is there", () => {
    const decoder = new HpackDecoder();
    assert.equal(read(decoder, "4001 6101 62 82 4001 6301 64", 60), "a: b\n");
    assert.equal(decoder.isTooLarge, true);
    assert.equal(read(decoder, "be bf"), "c: d\na: b\n");
    assert.equal(decoder.isTooLarge, false);
  });

  it("of many fields that are one large entry is read without keeping them", () => {
    const decoder = new HpackDecoder();
    const name = `40 01 61 7f ${"a11e"} ${"62".repeat(4_000)}`; // 4,000 octets: 127 + 33 + 30 * 128.
    assert.equal(read(decoder, name)?.length, 4_004);
    const list = decoder.decode(Buffer.alloc(16_384, 0xbe), 0, 16_384, 20_000);
    assert.deepEqual([list?.length, decoder.isTooLarge], [8, true]);
  });
});

describe("a head that is written as a header block", () => {
  const roundTrip = (encoder: HpackEncoder, decoder: HpackDecoder, head: string): [string | undefined, number] => {
    const block = encoder.head(head, head.length);
    return [read(decoder, Buffer.from(block, "latin1").toString("hex")), block.length];
  };
  const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: b\r\n\r\n";

  it("is read as its status and its fields, names in lower case", () => {
    const [fields] = roundTrip(new HpackEncoder(), new HpackDecoder(), HEAD);
    assert.equal(fields, ":status: 200\ncontent-type: text/plain\nx-a: b\n");
    const [odd] = roundTrip(new HpackEncoder(), new HpackDecoder(), "HTTP/1.1 418 \r\nX: \xe9\r\nY: \r\n\r\n");
    assert.equal(odd, ":status: 418\nx: \xe9\ny: \n");
  });

  it("is an octet a field the second time", () => {
    const [encoder, decoder] = [new HpackEncoder(), new HpackDecoder()];
    roundTrip(encoder, decoder, HEAD);
    assert.deepEqual(roundTrip(encoder, decoder, HEAD), [":status: 200\ncontent-type: text/plain\nx-a: b\n", 3]);
  });

  it("leaves out what is about one connection of HTTP/1.1", () => {
    const head = "HTTP/1.1 200 OK\r\nConnection: close\r\nKeep-Alive: timeout=5\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert.deepEqual(roundTrip(new HpackEncoder(), new HpackDecoder(), head), [":status: 200\n", 1]);
  });

  it("keeps what is secret out of every table, and says so", () => {
    const block = new HpackEncoder().head("HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\n\r\n", 36);
    assert.equal(Buffer.from(block, "latin1").toString("hex"), "881f2803613d62");
  });

  it("is read whatever was let go of the table meanwhile, and whatever size the reader gives it", () => {
    const [encoder, decoder] = [new HpackEncoder(), new HpackDecoder()];
    for (let count = 0; count < 2_000; count++) {
      if (count % 100 === 50) encoder.allow([0, 33, 100, 1_000, 4_096, 100_000][count % 6]!);
      if (count % 200 === 150) for (const bytes of [4_096, 64, 2_048]) encoder.allow(bytes);
      const large = "z".repeat((count * 7) % 1_500);
      const head = `HTTP/1.1 200 OK\r\nX-${count % 90}: ${count % 60}\r\nLarge: ${large}\r\n\r\n`;
      const [fields] = roundTrip(encoder, decoder, head);
      assert.equal(fields, `:status: 200\nx-${count % 90}: ${count % 60}\nlarge: ${large}\n`);
    }
  });

  it("has trailers of the same kind", () => {
    const block = new HpackEncoder().trailers("grpc-status: 0\r\n");
    assert.equal(read(new HpackDecoder(), Buffer.from(block, "latin1").toString("hex")), "grpc-status: 0\n");
  });
});
