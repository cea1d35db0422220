import { FAILURES, type FailureKind } from "../../core/failure.ts";
import type { BodyFraming } from "../../http/body-reader.ts";
import { FIELD } from "../../http/known-field.ts";
import type { Refusal } from "../../http/refusal.ts";
import type { RequestChannel, RequestHandler } from "../../http/request-channel.ts";
import type { ResponseParser } from "../../http/response-parser.ts";
import { NO_TRAILERS, type Trailers, takesTrailers, writeTrailers } from "../../http/trailers.ts";
import { Tunnel } from "../../http/tunnel.ts";
import type { UpstreamChannel } from "../../http/upstream-channel.ts";
import { type Answer, isAnswer } from "../../sdk/answer.ts";
import type { HeaderFields } from "../../sdk/header-fields.ts";
import { ResponseContext } from "../../sdk/response-context.ts";
import type { Pipeline } from "../plugin/pipeline.ts";
import { PluginRun, type Verdict } from "../plugin/plugin-run.ts";
import type { CompiledRoute } from "../route/compiled-route.ts";
import type { CompiledUpstream } from "../upstream/compiled-upstream.ts";
import type { Target } from "../upstream/target.ts";
import { upstreamKey } from "../upstream/upstream-settings.ts";
import type { Gateway } from "../worker/gateway.ts";
import { Attempt, type Sending } from "./attempt.ts";
import { Attempts, type AttemptsOwner } from "./attempts.ts";
import { clientFraming, endBody, writeBody } from "./body-framing.ts";
import { clientAddress } from "./client-address.ts";
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
import { HeldBody } from "./held-body.ts";
import { requestIdOf } from "./request-id.ts";
import { RequestRecord } from "./request-record.ts";
import { rescue, writeOwnAnswer } from "./rescue.ts";
import { TransformedBody, type TransformedBodyOwner } from "./transformed-body.ts";
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
  /** The request's body while plugins are not done. */
  #held: HeldBody | undefined;
  /** The response's body where plugins change it. */
  #transformed: TransformedBody | undefined;

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
    if (route.pipeline === undefined) this.#forward(route);
    else this.#consult(route, route.pipeline);
  }

  onRequestBody(buffer: Buffer, start: number, end: number): void {
    const held = this.#held;
    if ((!this.#attempt.isOpen && held === undefined) || start === end) return;
    const record = this.#record;
    record.requestBytes += end - start;
    const max = record.route?.maxBodyBytes ?? 0;
    held?.add(buffer, start, end);
    if ((max > 0 && record.requestBytes > max) || held?.isTooLarge) this.#fail("bodyTooLarge");
    else if (held === undefined) this.#attempt.body(buffer, start, end);
  }

  onRequestEnd(): void {
    if (this.#held === undefined) this.#attempt.complete(this.client.trailers);
    else this.#completeHeld(this.#held);
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
    const seen = this.#showResponse(response, framing);
    if (isAnswer(seen)) {
      this.#attempt.drop();
      this.#reply(seen);
      return;
    }
    this.#record.upstreamAnswered(response.status);
    const transforms = seen?.transforms ?? [];
    this.#framing = clientFraming(transforms.length > 0 ? "chunked" : framing, client.takesChunks);
    this.#transformed = transforms.length > 0 ? new TransformedBody(transforms, this.#transformOwner()) : undefined;
    this.#keepAlive = this.#mayKeepAlive() && this.#framing !== "until-close";
    const takesTrailers = this.#takesTrailers && this.#transformed === undefined;
    const lines = this.#linesAboutTarget();
    client.writer.text(writeForwardedResponse(response, this.#framing, this.#answering(), takesTrailers, seen, lines));
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
    if (this.#transformed !== undefined) this.#transformed.write(buffer, start, end);
    else this.#writeBody(buffer, start, end);
  }

  onResponsePause(): void {
    const { writer } = this.client;
    writer.flush();
    this.#transformed?.flush();
    if (!writer.isFull) return;
    this.#attempt.pause();
    this.client.awaitWritable();
  }

  onResponseWritable(): void {
    this.#transformed?.resume();
    this.#attempt.resume();
  }

  onResponseEnd(trailers: Trailers): void {
    if (this.#transformed !== undefined) this.#transformed.end();
    else this.#endResponse(trailers);
  }

  #endResponse(trailers: Trailers): void {
    this.#transformed = undefined;
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
    this.#dropBoth();
    this.#record.closeCut(this.client, "clientClosed");
  }

  onClientClosed(): void {
    this.#onClosed();
  }

  /** Asks the plugins of the route; they may need time, or all of the body. */
  #consult(route: CompiledRoute, pipeline: Pipeline): void {
    const { request } = this.client;
    const { plugins, configuration } = this.#gateway;
    const { method, host, path, query, fields } = request;
    const { address: peer, scheme } = this.#caller;
    const client = clientAddress(peer, fields.joined(FIELD.xForwardedFor), configuration.trustedProxies);
    const { requestId } = this.#record;
    const source = { method, scheme, host, path, query, client, requestId, routeId: route.id, fields };
    const run = new PluginRun(pipeline, plugins, source, (verdict) => this.#guarded(() => this.#follow(run, verdict)));
    this.#record.plugins = run;
    this.#follow(run, run.advance());
  }

  #follow(run: PluginRun, verdict: Verdict): void {
    if (isAnswer(verdict)) this.#reply(verdict);
    else if (verdict === "pass") this.#goOn(this.#record.route!);
    else this.#hold(run, verdict);
  }

  #hold(run: PluginRun, reason: "wait" | "body"): void {
    const { client } = this;
    this.#held ??= new HeldBody(!client.request.hasBody);
    const held = this.#held;
    if (reason === "wait") {
      if (!held.isComplete) client.pause();
      return;
    }
    held.maxBytes = run.maxBodyBytes;
    held.isGathered = true;
    if (held.isTooLarge || client.request.contentLength > held.maxBytes) this.#fail("bodyTooLarge");
    else if (held.isComplete) this.#completeHeld(held);
    else {
      client.resume();
      if (client.request.expectsContinue) client.askForBody();
      client.writer.flush();
    }
  }

  #completeHeld(held: HeldBody): void {
    held.isComplete = true;
    const run = this.#record.plugins;
    if (!held.isGathered || run === undefined) return;
    held.isGathered = false;
    run.request.body = held.whole();
    this.#follow(run, run.advance());
  }

  /** The plugins are done: sends what was held, and takes the rest as it comes. */
  #goOn(route: CompiledRoute): void {
    const held = this.#held;
    this.#held = undefined;
    this.#forward(route);
    if (held === undefined || !this.#attempt.isOpen) return;
    for (const piece of held.pieces) this.#attempt.body(piece, 0, piece.length);
    if (!held.isComplete) this.client.resume();
    else if (this.client.request.hasBody) this.#attempt.complete(this.client.trailers);
    this.#attempt.flush();
  }

  /** Shows the plugins the response; an answer takes its place. */
  #showResponse(response: ResponseParser, framing: BodyFraming): ResponseContext | Answer | undefined {
    const run = this.#record.plugins;
    if (run === undefined) return undefined;
    const { status, fields, contentLength } = response;
    const seen = new ResponseContext({
      ...{ status, fields, isFromUpstream: true, failure: undefined },
      contentLength: contentLength < 0 ? undefined : contentLength,
      hasBody: framing !== "none",
    });
    return run.respond(seen) ?? seen;
  }

  #transformOwner(): TransformedBodyOwner {
    return {
      onTransformed: (octets) =>
        this.#guarded(() => {
          const { writer } = this.client;
          this.#writeBody(octets, 0, octets.length);
          writer.flush();
          if (!writer.isFull) return;
          this.#transformed?.pause();
          this.client.awaitWritable();
        }),
      onTransformFull: () => this.#attempt.pause(),
      onTransformDrained: () => this.#attempt.resume(),
      onTransformEnd: () => this.#guarded(() => this.#endResponse(NO_TRAILERS)),
      onTransformFailed: (error) => this.#guarded(() => this.onFault(error)),
    };
  }

  /** For what happens outside of the callbacks of the two connections. */
  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.onFault(error);
    }
  }

  #writeBody(buffer: Buffer, start: number, end: number): void {
    this.#record.responseBytes += end - start;
    writeBody(this.client.writer, this.#framing === "chunked", buffer, start, end);
  }

  #dropBoth(): void {
    this.#attempt.drop();
    this.#transformed?.drop();
    this.#transformed = undefined;
    this.#held = undefined;
  }

  /** Undefined when a plugin failed, which is the answer. */
  sendingTo(target: Target): Sending | undefined {
    const route = this.#record.route!;
    this.#record.target = target;
    const edited = this.#record.plugins?.prepareTry(target.pool.authority);
    if (isAnswer(edited)) {
      this.#reply(edited);
      return undefined;
    }
    return {
      request: this.client.request,
      head: this.#writeHead(route, target, edited),
      timeouts: route.timeouts,
      upgrade: this.#upgrade,
    };
  }

  onFurtherAttempt({ kind, reason }: Refusal): void {
    this.#record.upstreamFailed(kind, reason);
  }

  onTaken(target: Target): void {
    this.#record.target = target;
  }

  onNoTarget(kind: FailureKind): void {
    this.#fail(kind);
  }

  #forward(route: CompiledRoute): void {
    const place = this.#placeOf(route);
    if (place === undefined) {
      this.#fail("noTarget");
      return;
    }
    const { upstream } = place;
    const { request } = this.client;
    const client = this.#caller.address;
    if (route.retry !== undefined || upstream.queue !== undefined) {
      const attempts = new Attempts(this, this.#gateway, { request, route, place, client });
      this.#attempt = attempts;
      attempts.begin();
      return;
    }
    this.#attempt = this.#single;
    const target = upstream.choose(request, client);
    if (target === undefined) this.#fail(upstream.refusal);
    else {
      const sending = this.sendingTo(target);
      if (sending === undefined) target.released();
      else if (!this.#single.begin(target, sending)) this.#fail("upstreamFull");
    }
  }

  /** What the client is told about who answered, for its next request. */
  #linesAboutTarget(): string {
    const { route, target } = this.#record;
    const place = route === undefined ? undefined : this.#placeOf(route);
    return place === undefined || target === undefined ? "" : place.upstream.linesFor(this.client.request, target);
  }

  /** Where the upstream stands; a plugin may have chosen another one than the route's. */
  #placeOf(route: CompiledRoute): { readonly upstream: CompiledUpstream } | undefined {
    const chosen = this.#record.plugins?.request.upstream;
    return chosen === undefined ? route : this.#gateway.configuration.table.place(upstreamKey({ id: chosen }));
  }

  #writeHead(route: CompiledRoute, { pool, basePath }: Target, edited: HeaderFields | undefined): string {
    const { request } = this.client;
    const rewritten = this.#record.plugins?.request;
    return writeForwardedRequest(request, {
      upgrade: this.#upgrade,
      target: basePath + (rewritten?.target ?? route.rewrite(request.path) + request.query),
      authority: rewritten?.authority ?? pool.authority,
      requestId: this.#record.requestId,
      peer: this.#caller.address,
      scheme: this.#caller.scheme,
      isPeerTrusted: this.#isPeerTrusted(),
      edited,
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
    this.#dropBoth();
    const { cells } = this.#gateway;
    if (this.#record.status > 0) {
      cells.add("gatewayFailures", 1);
      this.#record.closeCut(this.client, kind);
      this.#cut(kind);
      return;
    }
    const { status } = FAILURES[kind];
    const mayComeBack = status === 503 || status === 504;
    const retryAfterSeconds = mayComeBack ? this.#gateway.configuration.retryAfterSeconds : 0;
    this.#reply(rescue(kind, { detail, allow, retryAfterSeconds }), detail === undefined);
  }

  /** Answers in place of the upstream. After a request that could not be read to its end (`isClear`) nothing can follow. */
  #reply(answer: Answer, isClear = true): void {
    this.#held = undefined;
    const shown = this.#showAnswer(answer);
    const { status, failure, body } = shown;
    if (failure !== undefined && status >= 500) this.#gateway.cells.add("gatewayFailures", 1);
    this.#keepAlive = isClear && this.#mayKeepAlive();
    this.#record.responseBytes += body.length;
    const { request } = this.client;
    const isCall = failure !== undefined && request.method === "POST" && isGrpc(request.fields);
    this.client.writer.text(
      isCall
        ? writeGrpcFailure(failure, shown.detail, this.#answering())
        : writeOwnAnswer(shown, request.method === "HEAD", this.#answering()),
    );
    this.#record.closeAnswered(this.client, isCall ? 200 : status, failure);
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

  /** The plugins that the request has met see the answer too, and may change its head. */
  #showAnswer(answer: Answer): Answer {
    const run = this.#record.plugins;
    if (run === undefined) return answer;
    const { status, headers, failure, body } = answer;
    const seen = new ResponseContext({
      ...{ status, fields: headers, isFromUpstream: false, failure },
      contentLength: failure === undefined ? body.length : undefined,
      hasBody: false,
    });
    const failed = run.respond(seen);
    if (failed !== undefined) return this.#showAnswer(failed);
    return { ...answer, status: seen.status, headers: headers.with(seen.headers) };
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
