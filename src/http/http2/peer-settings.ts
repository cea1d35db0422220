import {
  type ConnectionFault,
  DEFAULT_WINDOW_BYTES,
  ERROR,
  MAX_FRAME_BYTES,
  MAX_WINDOW_BYTES,
  SETTING,
} from "./frame.ts";
import { DEFAULT_TABLE_BYTES } from "./hpack/dynamic-table.ts";

const SETTING_BYTES = 6;
const LARGEST_FRAME_BYTES = 2 ** 24 - 1;

/** What the peer has said about itself (RFC 9113 §6.5.2), as far as it makes a difference here. */
export class PeerSettings {
  initialWindowBytes = DEFAULT_WINDOW_BYTES;
  headerTableBytes = DEFAULT_TABLE_BYTES;
  /** The smallest table that it allowed for a moment since the last look. */
  smallestTableBytes = DEFAULT_TABLE_BYTES;

  /** Takes the payload of a SETTINGS frame. Answers what is wrong with it, or undefined. */
  read(octets: Buffer, start: number, end: number): ConnectionFault | undefined {
    this.smallestTableBytes = this.headerTableBytes;
    for (let at = start; at < end; at += SETTING_BYTES) {
      const fault = this.#take(octets.readUInt16BE(at), octets.readUInt32BE(at + 2));
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #take(setting: number, value: number): ConnectionFault | undefined {
    switch (setting) {
      case SETTING.headerTableSize:
        this.headerTableBytes = value;
        this.smallestTableBytes = Math.min(value, this.smallestTableBytes);
        break;
      case SETTING.initialWindowSize:
        if (value > MAX_WINDOW_BYTES)
          return { code: ERROR.flowControl, reason: "SETTINGS_INITIAL_WINDOW_SIZE is larger than a window may be" };
        this.initialWindowBytes = value;
        break;
      case SETTING.maxFrameSize:
        if (value < MAX_FRAME_BYTES || value > LARGEST_FRAME_BYTES) return notValid("SETTINGS_MAX_FRAME_SIZE");
        break;
      case SETTING.enablePush:
        if (value > 1) return notValid("SETTINGS_ENABLE_PUSH");
        break;
      case SETTING.noPriorities:
        if (value > 1) return notValid("SETTINGS_NO_RFC7540_PRIORITIES");
    }
    return undefined;
  }
}

function notValid(setting: string): ConnectionFault {
  return { code: ERROR.protocol, reason: `${setting} has a value that it may not have` };
}
