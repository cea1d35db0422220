/** What a parser understood of one message. Texts have one character an octet. */
export interface Message {
  /** Where it begins among the octets of the connection. */
  readonly start: number;
  /** The position after its head. */
  readonly headEnd: number;
  /** The position after its last octet; undefined while it is not complete. */
  readonly end: number | undefined;
  /** The method of a request, the status of a response. */
  readonly kind: string;
  /** The target of a request, as path and query are sent on; the reason phrase of a response. */
  readonly what: string;
  readonly minorVersion: number;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  /** The fields as we would send them on. */
  readonly written: string;
  readonly body: string;
  /** What came behind the body, names in lower case and values in turn. */
  readonly trailers: readonly string[];
  /** Whether the next message on the connection may follow. */
  readonly keepAlive: boolean;
  /** Whether the message ends where the connection does. */
  readonly untilClose: boolean;
}

/** What a parser made of all that one side sent. */
export interface Reading {
  readonly messages: readonly Message[];
  /** `waiting`: it would take more. `closed`: it takes nothing after the last message. */
  readonly outcome: "waiting" | "refused" | "closed";
  /** Why it refused. */
  readonly reason: string;
}

/** The first thing that differs between two readings of the same octets, or undefined. */
export function readingDifference(one: Reading, other: Reading): string | undefined {
  if (one.outcome !== other.outcome) return `${one.outcome} or ${other.outcome}`;
  if (one.messages.length !== other.messages.length)
    return `${one.messages.length} or ${other.messages.length} messages`;
  for (const [index, message] of one.messages.entries()) {
    const same = other.messages[index]!;
    for (const key of Object.keys(message) as (keyof Message)[])
      if (String(message[key]) !== String(same[key])) return `${key} of message ${index}`;
  }
  return undefined;
}
