import type { SeededRandom } from "../simulation/seeded-random.ts";
import { mostly, oneOf } from "./choice.ts";
import type { Side } from "./input.ts";
import * as words from "./vocabulary.ts";

const ODD_TRAILERS = [...words.ODD_TRAILERS, ...words.ODD_FIELDS];

/** One to four messages in a row, most of them valid, each octet a character. */
export function writeMessages(random: SeededRandom, side: Side): string {
  let text = "";
  do text += side === "request" ? writeRequest(random) : writeResponse(random);
  while (random.chance(0.35));
  return text;
}

function writeRequest(random: SeededRandom): string {
  const method = mostly(random, words.METHODS, words.ODD_METHODS);
  const target = random.chance(0.7) ? oneOf(random, words.TARGETS) : oneOf(random, words.ODD_TARGETS);
  const version = mostly(random, words.REQUEST_VERSIONS, words.ODD_VERSIONS);
  const space = mostly(random, [" "], ["  ", "\t", "", "\r\n", "\0", "\x0b"]);
  const before = mostly(random, [""], ["\r\n", "\n", "\r\n\r\n", "\r", " "]);
  const host = random.chance(0.95) ? fieldLine(random, "Host", "a") : "";
  const framing = random.chance(0.5) ? "none" : oneOf(random, ["length", "chunked"] as const);
  return `${before}${method}${space}${target} ${version}${lineEnd(random)}${host}${rest(random, framing)}`;
}

function writeResponse(random: SeededRandom): string {
  const version = mostly(random, words.REQUEST_VERSIONS, words.ODD_VERSIONS);
  const status = mostly(random, words.STATUSES, words.ODD_STATUSES);
  const phrase = mostly(random, words.PHRASES, words.ODD_PHRASES);
  const framing = oneOf(random, ["none", "length", "length", "chunked", "chunked"] as const);
  return `${version} ${status}${phrase}${lineEnd(random)}${rest(random, framing)}`;
}

/** Fields, the empty line and the body. */
function rest(random: SeededRandom, framing: "none" | "length" | "chunked"): string {
  const lines: string[] = [];
  const more = random.chance(0.01) ? 0.99 : 0.6;
  while (random.chance(more)) {
    const [name, value] = mostly(random, words.FIELDS, words.ODD_FIELDS);
    if (name !== "Host" || random.chance(0.05)) lines.push(fieldLine(random, name, value));
  }
  if (framing === "chunked")
    while (random.chance(0.2)) lines.push(fieldLine(random, ...oneOf(random, words.TRAILER_ANNOUNCEMENTS)));
  const content = writeContent(random);
  if (framing === "length") {
    const length = mostly(random, [content.length], [content.length - 1, content.length + 1, 0, -1]);
    lines.splice(random.below(lines.length + 1), 0, fieldLine(random, "Content-Length", String(length)));
  } else if (framing === "chunked")
    lines.splice(random.below(lines.length + 1), 0, fieldLine(random, "Transfer-Encoding", "chunked"));
  const body = framing === "chunked" ? writeChunks(random, content) : content;
  return `${lines.join("")}${lineEnd(random)}${framing === "none" ? "" : body}`;
}

function fieldLine(random: SeededRandom, name: string, value: string): string {
  const spelled = random.chance(0.2) ? name.toLowerCase() : name;
  const blank = random.chance(0.1) ? oneOf(random, [" ", "\t", " \t "]) : "";
  return `${spelled}${rarely(random, words.COLONS, words.ODD_COLONS)}${value}${blank}${lineEnd(random)}`;
}

function lineEnd(random: SeededRandom): string {
  return rarely(random, [words.LINE_END], words.ODD_LINE_ENDS);
}

/** What a body holds: often what could be taken for something else. */
function writeContent(random: SeededRandom): string {
  if (random.chance(0.6)) return "abcdefghijklmnopqrstuvwxyz".slice(0, random.below(27));
  let content = "";
  while (random.chance(0.7)) content += oneOf(random, words.FRAGMENTS);
  return content;
}

function writeChunks(random: SeededRandom, content: string): string {
  let text = "";
  let rest = content;
  while (rest !== "") {
    const data = rest.slice(0, 1 + random.below(20));
    rest = rest.slice(data.length);
    text += `${chunkSize(random, data.length)}${data}${lineEnd(random)}`;
  }
  text += chunkSize(random, 0);
  return text + writeTrailers(random) + lineEnd(random);
}

function writeTrailers(random: SeededRandom): string {
  const more = random.chance(0.01) ? 0.99 : 0.4;
  let text = "";
  while (random.chance(more)) {
    const [name, value] = random.chance(0.1)
      ? oneOf(random, words.FIELDS)
      : mostly(random, words.TRAILERS, ODD_TRAILERS);
    text += fieldLine(random, name, value);
  }
  return text;
}

function chunkSize(random: SeededRandom, size: number): string {
  const digits = random.chance(0.5) ? size.toString(16) : size.toString(16).toUpperCase();
  const prefix = rarely(random, words.SIZE_PREFIXES, words.ODD_SIZE_PREFIXES);
  const extension = random.chance(0.7) ? "" : mostly(random, words.CHUNK_EXTENSIONS, words.ODD_CHUNK_EXTENSIONS);
  return `${prefix}${digits}${extension}${lineEnd(random)}`;
}

/** For what a message has many of. */
function rarely<T>(random: SeededRandom, usual: readonly T[], odd: readonly T[]): T {
  return oneOf(random, random.chance(0.01) ? odd : usual);
}
