import { FAILURES, type FailureKind } from "../../core/failure.ts";
import type { BodyFraming } from "../../http/body-reader.ts";
import { FIELD } from "../../http/known-field.ts";
import type { Refusal } from "../../http/refusal.ts";
import type { RequestChannel, RequestHandler } from "../../http/request-channel.ts";
import { type Trailers, takesTrailers, writeTrailers } from "../../http/trailers.ts";
import { Tunnel } from "../../http/tunnel.ts";
import type { UpstreamChannel } from "../../http/upstream-channel.ts";
import type { CompiledRoute } from "../route/compiled-route.ts";
import type { Target } from "../upstream/target.ts";
import type { Gateway } from "../worker/gateway.ts";
import { Attempt, type Sending } from "./attempt.ts";
import { Attempts, type AttemptsOwner } from "./attempts.ts";
import { clientFraming, endBody, writeBody } from "./body-framing.ts";
import { writeForwardedRequest } from "./forwarded-request.ts";
import {
  type Answering,
  writeEmptyAnswer,
  writeForwardedResponse,
  writeInterimResponse,
  writeUpgradeResponse,
} from "./forwarded-response.ts";
import { grpcTimeoutMs, isGrpc } from "./grpc/grpc-call.ts";
import { grpcStatusLines, writeGrpcFailure } from "./grpc/grpc-failure.ts";
import { requestIdOf } from "./request-id.ts";
import { RequestRecord } from "./request-record.ts";
import { rescue } from "./rescue.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";
import { upgradeOf } from "./upgrade.ts";

export type Scheme = "http" | "https";

/** Who sends requests, and how. */
export interface Caller {
  readonly address: string;
  readonly scheme: Scheme;
}

/**
 * The life of the requests of one client connection, one after another: match a route, choose a target, have an attempt made at
 * it, stream back. Everything happens in the callbacks of the two connections it stands between; nothing is awaited and, on the
 * common path, little is allocated. A failure goes to `#fail`, which answers it as long as nothing was answered yet, and
 * otherwise cuts the connection, so that a response that was cut is never taken for a complete one.
 */
export class Exchange<Channel extends RequestChannel = RequestChannel> implements RequestHandler, AttemptsOwner {
  readonly client: Channel;
  readonly #gateway: Gateway;
  readonly #onClosed: () => void;
  readonly #caller: Caller;
  #trust: { readonly by: TrustedProxies; readonly isTrusted: boolean } | undefined;

  // Of the request being served; meaningless between requests.
  readonly #record: RequestRecord;
  /** Of requests whose route asks for one attempt. */
  readonly #single: Attempt;
  #attempt: Attempt | Attempts;
  /** The protocol that the request asks to switch to, if it may. */
  #upgrade: string | undefined;
  #keepAlive = false;
  #framing: BodyFraming = "none";

  /** @param open makes the channel that is served, which tells the handler what happens on it */
  constructor(gateway: Gateway, caller: Caller, open: (handler: RequestHandler) => Channel, onClosed = () => {}) {
    this.#gateway = gateway;
    this.#onClosed = onClosed;
    this.#caller = caller;
    this.#record = new RequestRecord(gateway, caller.address);
    this.#single = new Attempt(this, gateway.clock);
    this.#attempt = this.#single;
    this.client = open(this);
  }

  onRequest(): void {
    const { request } = this.client;
    this.#attempt = this.#single;
    this.#record.open(requestIdOf(this.#givenRequestId()));
    if (this.#gateway.isOverloaded) {
      this.#gateway.cells.add("requestsShed", 1);
      this.#fail("overloaded");
      return;
    }
    if (request.path === "*") {
      this.#answerForAll();
      return;
    }
    const otherMethods: string[] = [];
    const route = this.#gateway.configuration.router.match(request, otherMethods);
    this.#record.route = route;
    if (route === undefined) {
      this.#fail(otherMethods.length > 0 ? "methodNotAllowed" : "routeNotFound", undefined, otherMethods);
      return;
    }
    if (route.maxBodyBytes > 0 && request.contentLength > route.maxBodyBytes) {
      this.#fail("bodyTooLarge");
      return;
    }
    if (request.fields.indexOf(FIELD.grpcTimeout) >= 0) this.#startDeadline();
    this.#upgrade = upgradeOf(request, route.upgrades);
    this.#forward(route);
  }

  onRequestBody(buffer: Buffer, start: number, end: number): void {
    if (!this.#attempt.isOpen || start === end) return;
    const record = this.#record;
    record.requestBytes += end - start;
    const max = record.route?.maxBodyBytes ?? 0;
    if (max > 0 && record.requestBytes > max) this.#fail("bodyTooLarge");
    else this.#attempt.body(buffer, start, end);
  }

  onRequestEnd(): void {
    this.#attempt.complete(this.client.trailers);
  }

  onRequestRefused({ kind, reason }: Refusal): void {
    if (!this.#record.isOpen) this.#record.open(requestIdOf(undefined));
    this.#fail(kind, reason);
  }

  onRequestPause(): void {
    if (this.#attempt.flush()) this.client.pause();
  }

  onRequestWritable(): void {
    this.client.resume();
  }

  onInterimResponse({ response }: UpstreamChannel): void {
    const { request, writer } = this.client;
    if (request.minorVersion === 0) return; // HTTP/1.0 knows no 1xx.
    if (response.status !== 100) writer.text(writeInterimResponse(response));
    else if (request.expectsContinue && this.#record.requestBytes === 0) this.client.askForBody();
  }

  onResponse({ response, framing }: UpstreamChannel): void {
    const { client } = this;
    this.#record.upstreamAnswered(response.status);
    this.#framing = clientFraming(framing, client.takesChunks);
    this.#keepAlive = this.#mayKeepAlive() && this.#framing !== "until-close";
    client.writer.text(writeForwardedResponse(response, this.#framing, this.#answering(), this.#takesTrailers));
  }

  /** The request is answered, and the two connections are a tunnel from here on. */
  onUpgrade({ response, tunnelEnd: upstream }: UpstreamChannel): void {
    const { tunnelEnd, writer } = this.client;
    if (tunnelEnd === undefined || upstream === undefined) return;
    const { cells, sweep } = this.#gateway;
    const { requestId, route } = this.#record;
    const { timeouts } = route!;
    writer.text(writeUpgradeResponse(response, this.#upgrade!, requestId));
    this.#record.upstreamAnswered(101);
    this.#record.closeAnswered(this.client, 101);
    cells.add("activeTunnels", 1);
    new Tunnel(tunnelEnd, upstream, timeouts.pauseMs, sweep, () => cells.add("activeTunnels", -1)).start();
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.#record.responseBytes += end - start;
    writeBody(this.client.writer, this.#framing === "chunked", buffer, start, end);
  }

  onResponsePause(): void {
    const { writer } = this.client;
    writer.flush();
    if (!writer.isFull) return;
    this.#attempt.pause();
    this.client.awaitWritable();
  }

  onResponseWritable(): void {
    this.#attempt.resume();
  }

  onResponseEnd(trailers: Trailers): void {
    const lines = trailers.length > 0 && this.#takesTrailers ? writeTrailers(trailers) : "";
    endBody(this.client.writer, this.#framing === "chunked", lines);
    this.#record.closeAnswered(this.client, this.#record.status);
    this.client.finish(this.#keepAlive);
  }

  onAttemptFailed(_attempt: Attempt, { kind, reason }: Refusal): void {
    this.#record.upstreamFailed(kind, reason);
    this.#fail(kind);
  }

  /** A fault of ours costs the one request that it met, and is for a person to look at. */
  onFault(error: unknown): void {
    this.#record.faulted(error);
    if (this.#record.isOpen) this.#fail("internal");
    else this.client.destroy();
  }

  onClientGone(): void {
    if (!this.#record.isOpen) return;
    this.#gateway.cells.add("clientsGone", 1);
    this.#attempt.drop();
    this.#record.closeCut(this.client, "clientClosed");
  }

  onClientClosed(): void {
    this.#onClosed();
  }

  sendingTo(target: Target): Sending {
    const route = this.#record.route!;
    this.#record.target = target;
    return {
      request: this.client.request,
      head: this.#writeHead(route, target),
      timeouts: route.timeouts,
      upgrade: this.#upgrade,
    };
  }

  onFurtherAttempt({ kind, reason }: Refusal): void {
    this.#record.upstreamFailed(kind, reason);
  }

  onNoTarget(kind: FailureKind): void {
    this.#fail(kind);
  }

  #forward(route: CompiledRoute): void {
    const { upstream } = route;
    const { request } = this.client;
    const client = this.#caller.address;
    if (route.retry !== undefined || upstream.queue !== undefined) {
      const attempts = new Attempts(this, this.#gateway, { request, route, place: route, client });
      this.#attempt = attempts;
      attempts.begin();
      return;
    }
    this.#attempt = this.#single;
    const target = upstream.choose(request, client);
    if (target === undefined) this.#fail(upstream.refusal);
    else if (!this.#single.begin(target, this.sendingTo(target))) this.#fail("upstreamFull");
  }

  #writeHead(route: CompiledRoute, { pool, basePath }: Target): string {
    const { request } = this.client;
    return writeForwardedRequest(request, {
      upgrade: this.#upgrade,
      target: basePath + route.rewrite(request.path) + request.query,
      authority: pool.authority,
      requestId: this.#record.requestId,
      peer: this.#caller.address,
      scheme: this.#caller.scheme,
      isPeerTrusted: this.#isPeerTrusted(),
    });
  }

  /** `OPTIONS *` asks the gateway itself whether it is there (RFC 9110 §9.3.7). */
  #answerForAll(): void {
    this.#keepAlive = this.#mayKeepAlive();
    this.client.writer.text(writeEmptyAnswer(this.#answering()));
    this.#record.closeAnswered(this.client, 204);
    this.client.finish(this.#keepAlive);
  }

  #fail(kind: FailureKind, detail?: string, allow: readonly string[] = []): void {
    this.#attempt.drop();
    const { cells } = this.#gateway;
    if (this.#record.status > 0) {
      cells.add("gatewayFailures", 1);
      this.#record.closeCut(this.client, kind);
      this.#cut(kind);
      return;
    }
    const { status } = FAILURES[kind];
    if (status >= 500) cells.add("gatewayFailures", 1);
    const { request } = this.client;
    this.#keepAlive = detail === undefined && this.#mayKeepAlive();
    if (request.method === "POST" && isGrpc(request.fields)) {
      this.client.writer.text(writeGrpcFailure(kind, detail, this.#answering()));
      this.#record.closeAnswered(this.client, 200, kind);
      this.client.finish(this.#keepAlive);
      return;
    }
    const isHead = request.method === "HEAD";
    const mayComeBack = status === 503 || status === 504;
    const retryAfterSeconds = mayComeBack ? this.#gateway.configuration.retryAfterSeconds : 0;
    this.client.writer.text(rescue({ kind, detail, allow, retryAfterSeconds, isHead, ...this.#answering() }));
    this.#record.closeAnswered(this.client, status, kind);
    this.client.finish(this.#keepAlive);
  }

  /** The answer has begun. A caller of gRPC is told in its end that it failed; to others it is shown by having none. */
  #cut(kind: FailureKind): void {
    const { client } = this;
    if (this.#framing === "until-close" && client.writer.trailers !== undefined && isGrpc(client.request.fields)) {
      endBody(client.writer, false, grpcStatusLines(kind, undefined));
      client.finish(false);
    } else client.destroy();
  }

  /** A call of gRPC says how long it may take in all. */
  #startDeadline(): void {
    const { fields } = this.client.request;
    const timeoutMs = isGrpc(fields) ? grpcTimeoutMs(fields) : undefined;
    if (timeoutMs !== undefined)
      this.#record.whenOver = this.#gateway.clock.after(timeoutMs, () => this.#fail("deadlineExceeded"));
  }

  #answering(): Answering {
    return {
      minorVersion: this.client.request.minorVersion,
      keepAlive: this.#keepAlive,
      requestId: this.#record.requestId,
      dateLine: this.#gateway.dateLine,
    };
  }

  #mayKeepAlive(): boolean {
    const { client } = this;
    return client.request.keepAlive && client.isRequestComplete && !client.isClosing && !this.#gateway.isDraining;
  }

  /** Whether fields may follow the body: a client of HTTP/1.1 has to say that it takes them (RFC 9110 §6.5.1). */
  get #takesTrailers(): boolean {
    if (this.#framing === "chunked") return takesTrailers(this.client.request.fields);
    return this.#framing === "until-close" && this.client.writer.trailers !== undefined;
  }

  #givenRequestId(): string | undefined {
    const { fields } = this.client.request;
    const index = fields.indexOf(FIELD.xRequestId);
    return index < 0 ? undefined : fields.value(index);
  }

  #isPeerTrusted(): boolean {
    const { trustedProxies } = this.#gateway.configuration;
    if (this.#trust?.by !== trustedProxies)
      this.#trust = { by: trustedProxies, isTrusted: trustedProxies.includes(this.#caller.address) };
    return this.#trust.isTrusted;
  }
}
