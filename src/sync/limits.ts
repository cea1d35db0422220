/** What one message, snapshot or node may take. Both sides hold to the same numbers. */
export const LIMITS = {
  /** Data of one snapshot chunk. */
  chunkBytes: 1 << 20,
  /** An encoded snapshot is refused by both sides beyond this many chunks. */
  chunks: 64,
  /** A snapshot that decompresses to more is refused. */
  decodedBytes: 512 << 20,
  /** One message on the wire, in both directions: room for the whole `config_yaml` of an original peer. */
  messageBytes: 16 << 20,
  /** What an original data plane can receive. */
  originalYamlBytes: 4 << 20,
  nodeIdLength: 128,
  /** Any other text that a node says about itself. */
  textLength: 4_096,
  labels: 64,
  /** Plugins that a node may name. */
  plugins: 256,
  labelLength: 256,
  problems: 100,
  /** Capabilities, and encodings, that a node may name. */
  capabilities: 64,
  /** Other control planes that a node remembers. */
  addresses: 16,
  /** Phases of an apply. */
  phases: 16,
} as const;
