import { LIMITS } from "../limits.ts";

/** What both ends of a channel hold to. */
export const CHANNEL_LIMITS = {
  "grpc.max_send_message_length": LIMITS.messageBytes,
  "grpc.max_receive_message_length": LIMITS.messageBytes,
  "grpc.enable_channelz": 0,
} as const;
