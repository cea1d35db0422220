import { readdirSync, readFileSync } from "node:fs";
import { type Input, MAX_HEAD_BYTES } from "./input.ts";
import type { Reading } from "./reading.ts";

/** An input that is kept, with what is to become of it. */
export interface CorpusEntry {
  readonly name: string;
  readonly input: Input;
  /** As `describeReading` puts it. */
  readonly expected: string;
}

const FOLDER = new URL("corpus/", import.meta.url);
const EXPECTED = "=> ";

/**
 * Reads the corpus. A file begins with the side, ends with the expected reading, and has the octets between: line ends of the file do not
 * count, those of the message are spelled out, `\xNN` is any octet.
 */
export function readCorpus(): readonly CorpusEntry[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".txt"))
    .sort()
    .map((file) => parseEntry(file.replace(".txt", ""), readFileSync(new URL(file, FOLDER), "utf8")));
}

export function parseEntry(name: string, file: string): CorpusEntry {
  const [side, ...lines] = file.trimEnd().split("\n");
  const expected = lines.pop() ?? "";
  if (!/^(request|response|response to HEAD)$/.test(side ?? "") || !expected.startsWith(EXPECTED))
    throw new Error(`the corpus file ${name} begins with its side and ends with what is expected`);
  return {
    name,
    input: {
      side: side === "request" ? "request" : "response",
      answersHead: side === "response to HEAD",
      text: unescapeOctets(lines.join("")),
      cuts: [],
      maxHeadBytes: MAX_HEAD_BYTES,
    },
    expected: expected.slice(EXPECTED.length),
  };
}

/** For whoever has to understand a disagreement: what a file cannot hold, and the file. */
export function describeInput(input: Input, reading: Reading): string {
  return `pieces end at [${input.cuts.join()}], heads have up to ${input.maxHeadBytes} octets\n${writeEntry(input, reading)}`;
}

/** A file of the corpus. */
export function writeEntry({ side, answersHead, text }: Input, reading: Reading): string {
  const octets = escapeOctets(text).replaceAll("\\n", "\\n\n");
  return `${side}${answersHead ? " to HEAD" : ""}\n${octets}${octets.endsWith("\n") ? "" : "\n"}${EXPECTED}${describeReading(reading)}\n`;
}

/** As `2 taken, 1 begun, then waiting`. */
export function describeReading({ messages, outcome }: Reading): string {
  const begun = messages.filter((message) => message.end === undefined).length;
  return `${messages.length - begun} taken, ${begun === 0 ? "" : `${begun} begun, `}then ${outcome}`;
}

const NAMED: Readonly<Record<string, string>> = { "\r": "\\r", "\n": "\\n", "\t": "\\t", "\\": "\\\\" };
const CHARACTERS = Object.fromEntries(Object.entries(NAMED).map(([character, escaped]) => [escaped, character]));

function escapeOctets(text: string): string {
  return text.replace(
    /[^ -[\]-~]| (?=[\r\n]|$)/g,
    (character) => NAMED[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function unescapeOctets(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-f]{2})|.)/g,
    (escaped, digits: string | undefined) =>
      (digits === undefined ? CHARACTERS[escaped] : String.fromCharCode(Number.parseInt(digits, 16))) ?? escaped,
  );
}
