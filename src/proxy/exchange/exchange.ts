import { FAILURES, type FailureKind } from "../../core/failure.ts";
import { FIELD } from "../../http/known-field.ts";
import type { Refusal } from "../../http/refusal.ts";
import type { RequestChannel, RequestHandler } from "../../http/request-channel.ts";
import type { Trailers } from "../../http/trailers.ts";
import { Tunnel } from "../../http/tunnel.ts";
import type { UpstreamChannel } from "../../http/upstream-channel.ts";
import { type Answer, isAnswer } from "../../sdk/answer.ts";
import { HeaderFields } from "../../sdk/header-fields.ts";
import type { Pipeline } from "../plugin/pipeline.ts";
import type { CompiledRoute } from "../route/compiled-route.ts";
import type { CompiledUpstream } from "../upstream/compiled-upstream.ts";
import type { Target } from "../upstream/target.ts";
import { upstreamKey } from "../upstream/upstream-settings.ts";
import type { Gateway } from "../worker/gateway.ts";
import { Attempt, type Sending } from "./attempt.ts";
import { Attempts, type AttemptsOwner } from "./attempts.ts";
import { clientAddress } from "./client-address.ts";
import { ClientResponse, type ResponseSource } from "./client-response.ts";
import { CopiedAttempt } from "./copied-attempt.ts";
import { CopiedRequest, type CopySource } from "./copied-request.ts";
import { type ForwardedHead, writeForwardedRequest } from "./forwarded-request.ts";
import { grpcTimeoutMs, isGrpc } from "./grpc/grpc-call.ts";
import { GrpcWebCall } from "./grpc/grpc-web-call.ts";
import type { HeldBody } from "./held-body.ts";
import { PluginGate, type PluginGateOwner } from "./plugin-gate.ts";
import { requestIdOf } from "./request-id.ts";
import { RequestRecord } from "./request-record.ts";
import { rescue } from "./rescue.ts";
import { showAnswer, showResponse } from "./show-response.ts";
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
export class Exchange<Channel extends RequestChannel = RequestChannel>
  implements RequestHandler, AttemptsOwner, PluginGateOwner, ResponseSource, CopySource
{
  readonly client: Channel;
  readonly #gateway: Gateway;
  readonly #onClosed: () => void;
  readonly #caller: Caller;
  #trust: { readonly by: TrustedProxies; readonly isTrusted: boolean } | undefined;

  // Of the request being served; meaningless between requests.
  readonly #record: RequestRecord;
  /** Of requests whose route asks for one attempt. */
  readonly #single: Attempt;
  #attempt: Attempt | Attempts | CopiedAttempt;
  /** The protocol that the request asks to switch to, if it may. */
  #upgrade: string | undefined;
  /** Where the request stands while plugins are not done with it. */
  #gate: PluginGate | undefined;
  /** What was a call of gRPC-Web and is one of gRPC for the target. */
  #call: GrpcWebCall | undefined;
  readonly #response: ClientResponse;

  /** @param open makes the channel that is served, which tells the handler what happens on it */
  constructor(gateway: Gateway, caller: Caller, open: (handler: RequestHandler) => Channel, onClosed = () => {}) {
    this.#gateway = gateway;
    this.#onClosed = onClosed;
    this.#caller = caller;
    this.#record = new RequestRecord(gateway, caller.address);
    this.#single = new Attempt(this, gateway.clock);
    this.#attempt = this.#single;
    this.client = open(this);
    this.#response = new ClientResponse(this.client, gateway, this.#record, this);
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
      this.#response.answerEmpty(); // It asks the gateway itself whether it is there (RFC 9110 §9.3.7).
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
    const gate = this.#gate;
    if ((!this.#attempt.isOpen && gate === undefined) || start === end) return;
    const record = this.#record;
    record.requestBytes += end - start;
    const max = record.route?.maxBodyBytes ?? 0;
    if (max > 0 && record.requestBytes > max) this.#fail("bodyTooLarge");
    else if (gate !== undefined) gate.body(buffer, start, end);
    else this.#send(buffer, start, end);
  }

  onRequestEnd(): void {
    if (this.#gate !== undefined) this.#gate.complete();
    else this.#complete();
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
    this.#response.interim(response);
  }

  onResponse(channel: UpstreamChannel): void {
    const { response, framing } = channel;
    const type = this.#call?.answerType(response.fields.find("content-type") ?? "");
    const seen = showResponse(this.#record.plugins, response, framing, type);
    if (isAnswer(seen)) {
      this.#attempt.drop();
      this.#reply(seen);
    } else this.#response.begin(channel, seen, this.#linesAboutTarget(), type === undefined ? undefined : this.#call);
  }

  /** The request is answered, and the two connections are a tunnel from here on. */
  onUpgrade(channel: UpstreamChannel): void {
    const { tunnelEnd } = this.client;
    const upstream = channel.tunnelEnd;
    if (tunnelEnd === undefined || upstream === undefined) return;
    const { cells, sweep } = this.#gateway;
    const { pauseMs } = this.#record.route!;
    this.#response.upgrade(channel, this.#upgrade!);
    cells.add("activeTunnels", 1);
    new Tunnel(tunnelEnd, upstream, pauseMs, sweep, () => cells.add("activeTunnels", -1)).start();
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    this.#response.body(buffer, start, end);
  }

  onResponsePause(): void {
    if (this.#response.flush()) this.#attempt.pause();
  }

  onResponseWritable(): void {
    this.#response.resume();
    this.#attempt.resume();
  }

  onResponseEnd(trailers: Trailers): void {
    this.#response.end(trailers);
  }

  pauseResponse(): void {
    this.#attempt.pause();
  }

  resumeResponse(): void {
    this.#attempt.resume();
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

  onPassed(held: HeldBody | undefined): void {
    this.#gate = undefined;
    this.#forward(this.#record.route!);
    this.#copy();
    if (held === undefined || !this.#attempt.isOpen) return;
    for (const piece of held.pieces) this.#send(piece, 0, piece.length);
    if (!this.#attempt.isOpen) return;
    if (!held.isComplete) this.client.resume();
    else if (this.client.request.hasBody) this.#complete();
    this.#attempt.flush();
  }

  targetForCopy(id: string): Target | undefined {
    const upstream = this.#gateway.configuration.table.place(upstreamKey({ id }))?.upstream;
    return upstream?.choose(this.client.request, this.#addressFor(upstream));
  }

  copyTo(target: Target, bodyBytes: number): Sending | undefined {
    const { method, host, fields, nominated, hasBody, contentLength } = this.client.request;
    const framing = { chunked: false, contentLength: hasBody ? bodyBytes : contentLength, expectsContinue: false };
    const request = { method, host, fields, nominated, hasBody, ...framing };
    const edited = this.#record.plugins?.prepareTry(target.pool.authority);
    if (isAnswer(edited)) return undefined;
    const route = this.#record.route!;
    return {
      request,
      head: this.#writeHead(request, route, target, edited),
      timeouts: route,
      upgrade: undefined,
    };
  }

  onAnswered(answer: Answer): void {
    this.#reply(answer);
  }

  onTooLarge(): void {
    this.#fail("bodyTooLarge");
  }

  #consult(route: CompiledRoute, pipeline: Pipeline): void {
    const { request } = this.client;
    const { plugins } = this.#gateway;
    const { method, host, path, query, fields } = request;
    const { scheme } = this.#caller;
    const client = this.#clientAddress();
    const { requestId } = this.#record;
    const source = { method, scheme, host, path, query, client, requestId, route, fields };
    this.#gate = new PluginGate(pipeline, plugins, source, this.client, this);
    this.#record.plugins = this.#gate.run;
    this.#gate.ask();
  }

  /** Has the copies made that plugins want. What switches protocols, or is translated on its way, is not copied. */
  #copy(): void {
    const copies = this.#record.plugins?.request.copies ?? [];
    if (copies.length === 0 || !this.#attempt.isOpen || this.#upgrade !== undefined || this.#call !== undefined) return;
    const made = copies.map((copy) => new CopiedRequest(copy, this, this.#gateway));
    this.#attempt = new CopiedAttempt(this.#attempt, made, this.client.request.hasBody);
  }

  /** Sends a piece of the body on. */
  #send(buffer: Buffer, start: number, end: number): void {
    if (this.#call?.isText !== true) this.#attempt.body(buffer, start, end);
    else {
      const octets = this.#call.decode(buffer, start, end);
      if (octets === undefined) this.#fail("badRequest", "the body of the call is not base64");
      else if (octets.length > 0) this.#attempt.body(octets, 0, octets.length);
    }
  }

  #complete(): void {
    if (this.#call?.isWhole === false) this.#fail("badRequest", "the body of the call ends within a quantum of base64");
    else this.#attempt.complete(this.client.trailers);
  }

  #dropBoth(): void {
    this.#attempt.drop();
    this.#response.drop();
    this.#gate = undefined;
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
      head: this.#writeHead(this.client.request, route, target, edited),
      timeouts: route,
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
    this.#call = upstream.isHttp2 ? GrpcWebCall.of(request.fields) : undefined;
    const client = this.#addressFor(upstream);
    if (route.retry !== undefined || upstream.queue !== undefined) {
      const attempts = new Attempts(this, this.#gateway, { request, route, place, client });
      this.#attempt = attempts;
      attempts.begin();
      return;
    }
    this.#attempt = this.#single;
    this.#askOne(upstream, client);
  }

  /** Asks one target; those that have no connection to spare are passed over. */
  #askOne(upstream: CompiledUpstream, client: string, full?: readonly Target[]): void {
    const target = upstream.choose(this.client.request, client, full);
    if (target === undefined) {
      this.#fail(full === undefined ? upstream.refusal : "upstreamFull");
      return;
    }
    const sending = this.sendingTo(target);
    if (sending === undefined) target.released();
    else if (!this.#single.begin(target, sending)) this.#askOne(upstream, client, [...(full ?? []), target]);
  }

  /** The address of who asks, behind proxies that are believed; only where the choice of a target goes by it. */
  #addressFor(upstream: CompiledUpstream): string {
    return upstream.isHashed ? this.#clientAddress() : this.#caller.address;
  }

  #clientAddress(): string {
    const before = this.client.request.fields.joined(FIELD.xForwardedFor);
    return clientAddress(this.#caller.address, before, this.#gateway.configuration.trustedProxies);
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

  #writeHead(
    head: ForwardedHead,
    route: CompiledRoute,
    { pool, basePath }: Target,
    edited: HeaderFields | undefined,
  ): string {
    const { request } = this.client;
    const rewritten = this.#record.plugins?.request;
    return writeForwardedRequest(head, {
      upgrade: this.#upgrade,
      target: basePath + (rewritten === undefined ? route.rewrite(request.path) + request.query : rewritten.target),
      authority: rewritten?.authority ?? pool.authority,
      requestId: this.#record.requestId,
      peer: this.#caller.address,
      scheme: this.#caller.scheme,
      isPeerTrusted: this.#isPeerTrusted(),
      edited: this.#call === undefined ? edited : asGrpc(this.#call, edited ?? new HeaderFields(request.fields)),
      isGrpcWeb: this.#call !== undefined,
    });
  }

  #fail(kind: FailureKind, detail?: string, allow: readonly string[] = []): void {
    this.#dropBoth();
    if (this.#record.status > 0) {
      this.#response.cut(kind);
      return;
    }
    const { status } = FAILURES[kind];
    const mayComeBack = status === 503 || status === 504;
    const retryAfterSeconds = mayComeBack ? this.#gateway.configuration.retryAfterSeconds : 0;
    this.#reply(rescue(kind, { detail, allow, retryAfterSeconds }), detail === undefined);
  }

  #reply(answer: Answer, isClear = true): void {
    this.#gate = undefined;
    this.#response.answer(showAnswer(this.#record.plugins, answer), isClear);
  }

  /** A call of gRPC says how long it may take in all. */
  #startDeadline(): void {
    const { fields } = this.client.request;
    const isCall = isGrpc(fields) || GrpcWebCall.of(fields) !== undefined;
    const timeoutMs = isCall ? grpcTimeoutMs(fields) : undefined;
    if (timeoutMs !== undefined)
      this.#record.whenOver = this.#gateway.clock.after(timeoutMs, () => this.#fail("deadlineExceeded"));
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

/** The fields of a call of gRPC-Web as its target gets them. */
function asGrpc({ targetType }: GrpcWebCall, edited: HeaderFields): HeaderFields {
  const fields = edited.copy();
  fields.set("Content-Type", targetType);
  return fields;
}
