import type { Target } from "../../../config/resources/upstream.ts";

/** A target as workers get it: one that was discovered stands for itself, and for the backend that led to it. */
export interface PlannedTarget extends Target {
  /** What the target is called, as the value of Host and on its certificate, where its URL says only where it is. */
  readonly authority?: string;
  /** Which of the configured backends it comes from, where that is not its own place. */
  readonly backend?: number;
}

/** The host of an authority, as certificates name it. */
export function hostOf(authority: string): string {
  return new URL(`http://${authority}`).hostname.replace(/^\[|\]$/g, "");
}
