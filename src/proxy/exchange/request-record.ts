import { FAILURES, type FailureKind } from "../../core/failure.ts";
import type { FieldLines } from "../../http/field-lines.ts";
import type { RequestChannel } from "../../http/request-channel.ts";
import { hideParameters } from "../../sdk/query.ts";
import { callStatusOf } from "../counters/call-statuses.ts";
import { NO_ROUTE } from "../counters/route-slots.ts";
import type { PluginRun } from "../plugin/plugin-run.ts";
import type { AccessLogPolicy } from "../route/access-log-policy.ts";
import type { CompiledRoute } from "../route/compiled-route.ts";
import type { Target } from "../upstream/target.ts";
import type { Gateway } from "../worker/gateway.ts";
import { AccessLogLine, type ServedRequest } from "./access-log-line.ts";
import { isAnyCall } from "./grpc/grpc-call.ts";
import { grpcStatusOf } from "./grpc/grpc-failure.ts";

/**
 * What is counted, measured and logged of the request that an exchange serves. One record serves all requests of a
 * connection, one after another; its fields mean nothing between two requests.
 */
export class RequestRecord {
  requestId = "";
  route: CompiledRoute | undefined;
  target: Target | undefined;
  /** Octets of the bodies so far. */
  requestBytes = 0;
  responseBytes = 0;
  /** Called once the request is over, if set. */
  whenOver: (() => void) | undefined;
  /** The plugins that run for the request, if any. */
  plugins: PluginRun | undefined;
  /** Whether a request is being served. */
  isOpen = false;
  /** Of the response that began; 0 before. */
  status = 0;
  /** The `grpc-status` that the target told, if any. */
  grpcStatus: string | undefined;
  readonly #gateway: Gateway;
  readonly #line: AccessLogLine;
  #endTargetLimit: (() => void) | undefined;
  #startedMs = 0;
  #upstreamMs = 0;

  /** @param client the address of who asks */
  constructor(gateway: Gateway, client: string) {
    this.#gateway = gateway;
    this.#line = new AccessLogLine(gateway.accessLog, client);
  }

  open(requestId: string): void {
    const { clock, cells } = this.#gateway;
    cells.add("activeRequests", 1);
    this.isOpen = true;
    this.#startedMs = clock.monotonicMs();
    this.requestId = requestId;
    this.route = undefined;
    this.plugins = undefined;
    this.target = undefined;
    this.requestBytes = 0;
    this.responseBytes = 0;
    this.status = 0;
    this.grpcStatus = undefined;
  }

  /** Limits the target that is asked now, until another one is or the request is over. */
  limitTarget(limitMs: number, onLate: () => void): void {
    this.#endTargetLimit?.();
    this.#endTargetLimit = this.#gateway.clock.after(limitMs, onLate);
  }

  /** The response of the target has begun. */
  upstreamAnswered(status: number): void {
    const { clock, cells } = this.#gateway;
    this.status = status;
    this.#upstreamMs = clock.monotonicMs() - this.#startedMs;
    cells.upstreamAnswered(this.#slot, this.#upstreamMs);
  }

  upstreamFailed(kind: FailureKind, reason: string): void {
    const { cells, logger } = this.#gateway;
    cells.upstreamFailed(this.#slot);
    logger.warn("An upstream failed a request", {
      route: this.route?.id,
      target: this.target?.pool.authority,
      code: FAILURES[kind].code,
      reason,
      request_id: this.requestId,
    });
  }

  /** A fault of ours, for a person to look at. */
  faulted(error: unknown): void {
    this.#gateway.logger.error("A request met a fault of the gateway", {
      route: this.route?.id,
      request_id: this.requestId,
      reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }

  /** The request is over with an answer, the target's or, with a `failure`, our own. */
  closeAnswered(channel: RequestChannel, status: number, failure?: FailureKind): void {
    const { clock, cells } = this.#gateway;
    const durationMs = clock.monotonicMs() - this.#startedMs;
    cells.answered(this.#slot, status, durationMs, this.requestBytes, this.responseBytes);
    this.#close(channel, status, durationMs, failure);
  }

  /** The request is over without an answer, or with one that was cut. */
  closeCut(channel: RequestChannel, failure: FailureKind): void {
    const status = this.status === 0 ? FAILURES[failure].status : this.status;
    this.#close(channel, status, this.#gateway.clock.monotonicMs() - this.#startedMs, failure);
  }

  #close(channel: RequestChannel, status: number, durationMs: number, failure: FailureKind | undefined): void {
    const { configuration, cells } = this.#gateway;
    const policy = this.route === undefined ? configuration.accessLog : this.route.handling.accessLog;
    if (policy?.wants(channel.request.method, status))
      this.#line.write(this.#served(channel, policy, status, durationMs, failure));
    const { method, fields } = channel.request;
    if (method === "POST" && isAnyCall(fields))
      cells.called(this.#slot, failure === undefined ? callStatusOf(this.grpcStatus) : grpcStatusOf(failure));
    const { requestBytes, responseBytes } = this;
    this.plugins?.finish({ status, failure, durationMs, requestBytes, responseBytes });
    cells.add("activeRequests", -1);
    this.isOpen = false;
    this.#endTargetLimit?.();
    this.#endTargetLimit = undefined;
    this.whenOver?.();
    this.whenOver = undefined;
  }

  #served(
    { protocol, request }: RequestChannel,
    { withQuery, headers }: AccessLogPolicy,
    status: number,
    durationMs: number,
    failure: FailureKind | undefined,
  ): ServedRequest {
    const { method, host, path, query, fields } = request;
    const isRead = method !== ""; // What was refused before it was read has nothing to show.
    return {
      requestId: this.requestId,
      method,
      host: isRead ? host : "",
      path: isRead ? path + (withQuery ? this.#shown(query) : "") : "",
      protocol,
      route: this.route,
      target: this.target,
      status,
      failure: failure && FAILURES[failure].code,
      requestBytes: this.requestBytes,
      responseBytes: this.responseBytes,
      durationMs,
      upstreamMs: this.status === 0 ? undefined : this.#upstreamMs,
      headers: headers.length > 0 && isRead ? this.#shownHeaders(fields, headers) : undefined,
    };
  }

  /** The query without what plugins know to be secrets. */
  #shown(query: string): string {
    const { secretParameters } = this.#gateway.configuration.secrets;
    return secretParameters.size === 0 ? query : hideParameters(query, secretParameters);
  }

  #shownHeaders(fields: FieldLines, names: readonly string[]): Record<string, string | undefined> {
    const { secretHeaders } = this.#gateway.configuration.secrets;
    return headersOf(fields, secretHeaders.size === 0 ? names : names.filter((name) => !secretHeaders.has(name)));
  }

  /** Where the request is counted. */
  get #slot(): number {
    return this.route?.slot ?? NO_ROUTE.slot;
  }
}

/** Those of the named fields that are there. */
function headersOf(fields: FieldLines, names: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, fields.find(name)]));
}
