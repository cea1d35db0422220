import { z } from "zod";
import { duration } from "./scalars.ts";

const SHORTER = [
  ["backend", "request"],
  ["header_timeout", "backend"],
  ["header_timeout", "request"],
] as const;

export const TimeoutPolicySpec = z
  .strictObject({
    request: duration
      .prefault("30s")
      .describe("How long a response may take to begin, with all attempts and waiting; then 504. 0s means no limit."),
    backend: duration
      .prefault("0s")
      .describe(
        "How long a target may take for all of its response, from being asked to the last octet; then 504, or the response is cut. 0s means no limit.",
      ),
    header_timeout: duration
      .prefault("0s")
      .describe(
        "How long a target that has got the request may take to begin its response; then the attempt has failed. 0s means as long as `backend` and `request` say.",
      ),
    idle: duration
      .prefault("60s")
      .describe(
        "How long a response that has begun may pause, or an upgraded connection may be silent; then it is cut. 0s means no limit.",
      ),
  })
  .superRefine((policy, { addIssue }) => {
    for (const [inner, outer] of SHORTER)
      if (policy[outer] > 0 && policy[inner] > policy[outer])
        addIssue({ code: "custom", message: `must be at most ${outer}, of which it is a part`, path: [inner] });
  })
  .describe("How long things may take.");
