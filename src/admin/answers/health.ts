import { z } from "zod";
import { time } from "./scalars.ts";

const Check = z.looseObject({ status: z.enum(["ok", "degraded", "fail"]), detail: z.string().optional() });

/** Strangers are told the status alone. */
export const HealthAnswer = z.strictObject({
  status: z.enum(["ok", "degraded"]),
  timestamp: time.optional(),
  uptime: z.string().optional(),
  role: z.string().optional(),
  runway_version: z.string().optional(),
  checks: z.record(z.string(), Check).optional(),
});

export const ReadyAnswer = z.strictObject({
  status: z.enum(["ready", "not_ready"]),
  routes: z.int().optional(),
  healthy_routes: z.int().optional(),
  listeners: z.int().optional(),
  reasons: z.array(z.string()).optional(),
  degraded: z.array(z.string()).optional(),
});

export const DrainAnswer = z.strictObject({
  draining: z.boolean(),
  drain_start: time.optional(),
  drain_duration: z.string().optional(),
  accepts_connections: z.boolean().optional(),
});

export const DrainChangeAnswer = z.strictObject({ status: z.string(), message: z.string() });
