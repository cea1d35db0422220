import { FAILURES, type FailureKind } from "../../core/failure.ts";
import { FIELD } from "../../http/known-field.ts";
import type { Refusal } from "../../http/refusal.ts";
import type { RequestChannel, RequestHandler } from "../../http/request-channel.ts";
import type { Trailers } from "../../http/trailers.ts";
import { Tunnel } from "../../http/tunnel.ts";
import type { UpstreamChannel } from "../../http/upstream-channel.ts";
import { type Answer, isAnswer } from "../../sdk/answer.ts";
import type { Pipeline } from "../plugin/pipeline.ts";
import { PluginRun } from "../plugin/plugin-run.ts";
import type { CompiledRoute } from "../route/compiled-route.ts";
import type { CompiledUpstream } from "../upstream/compiled-upstream.ts";
import type { Target } from "../upstream/target.ts";
import type { Gateway } from "../worker/gateway.ts";
import { Attempt, type Sending } from "./attempt.ts";
import { Attempts, type AttemptsOwner } from "./attempts.ts";
import { type Caller, ClientRequest } from "./client-request.ts";
import { ClientResponse, type ResponseSource } from "./client-response.ts";
import { CopiedAttempt } from "./copied-attempt.ts";
import { CopiedRequest } from "./copied-request.ts";
import { grpcTimeoutMs, isGrpc } from "./grpc/grpc-call.ts";
import { GrpcWebCall } from "./grpc/grpc-web-call.ts";
import type { HeldBody } from "./held-body.ts";
import { PluginGate, type PluginGateOwner } from "./plugin-gate.ts";
import { RequestRecord } from "./request-record.ts";
import { rescue } from "./rescue.ts";
import { showAnswer, showResponse } from "./show-response.ts";
import { upgradeOf } from "./upgrade.ts";
import { UpstreamRequest } from "./upstream-request.ts";

/**
 * The life of the requests of one client connection, one after another: match a route, choose a target, have an attempt made at
 * it, stream back. Everything happens in the callbacks of the two connections it stands between; nothing is awaited and, on the
 * common path, little is allocated. A failure goes to `#fail`, which answers it as long as nothing was answered yet, and
 * otherwise cuts the connection, so that a response that was cut is never taken for a complete one.
 */
export class Exchange<Channel extends RequestChannel = RequestChannel>
  implements RequestHandler, AttemptsOwner, PluginGateOwner, ResponseSource
{
  readonly client: Channel;
  readonly #gateway: Gateway;
  readonly #onClosed: () => void;

  // Of the request being served; meaningless between requests.
  readonly #record: RequestRecord;
  /** Of requests whose route asks for one attempt. */
  readonly #single: Attempt;
  #attempt: Attempt | Attempts | CopiedAttempt;
  readonly #asked: ClientRequest;
  readonly #request: UpstreamRequest;
  /** Where the request stands while plugins are not done with it. */
  readonly #gate: PluginGate;
  readonly #response: ClientResponse;

  /** @param open makes the channel that is served, which tells the handler what happens on it */
  constructor(gateway: Gateway, caller: Caller, open: (handler: RequestHandler) => Channel, onClosed = () => {}) {
    this.#gateway = gateway;
    this.#onClosed = onClosed;
    this.#record = new RequestRecord(gateway, caller.address);
    this.#single = new Attempt(this, gateway.clock);
    this.#attempt = this.#single;
    this.client = open(this);
    this.#asked = new ClientRequest(this.client, gateway, this.#record, caller);
    this.#request = new UpstreamRequest(this.client, gateway, this.#record, this.#asked);
    this.#gate = new PluginGate(this.client, this);
    this.#response = new ClientResponse(this.client, gateway, this.#record, this);
  }

  onRequest(): void {
    const { request } = this.client;
    this.#attempt = this.#single;
    this.#record.open(this.#gateway.requestIds.of(this.#givenRequestId()));
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
    const { maxBodyBytes, upgrades, pipeline } = route.handling;
    if (maxBodyBytes > 0 && request.contentLength > maxBodyBytes) {
      this.#fail("bodyTooLarge");
      return;
    }
    if (request.fields.indexOf(FIELD.grpcTimeout) >= 0) this.#startDeadline();
    this.#request.upgrade = upgradeOf(request, upgrades);
    if (pipeline === undefined) this.#forward(route);
    else this.#consult(pipeline);
  }

  onRequestBody(buffer: Buffer, start: number, end: number): void {
    const gate = this.#gate;
    if ((!this.#attempt.isOpen && !gate.isShut) || start === end) return;
    const record = this.#record;
    record.requestBytes += end - start;
    const max = record.route?.handling.maxBodyBytes ?? 0;
    if (max > 0 && record.requestBytes > max) this.#fail("bodyTooLarge");
    else if (gate.isShut) gate.body(buffer, start, end);
    else this.#send(buffer, start, end);
  }

  onRequestEnd(): void {
    if (this.#gate.isShut) this.#gate.complete();
    else this.#complete();
  }

  onRequestRefused({ kind, reason }: Refusal): void {
    if (!this.#record.isOpen) this.#record.open(this.#gateway.requestIds.make());
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
    const { call, linesAboutTarget } = this.#request;
    const type = call?.answerType(response.fields.find("content-type") ?? "");
    const seen = showResponse(this.#record.plugins, response, framing, type);
    if (isAnswer(seen)) {
      this.#attempt.drop();
      this.#reply(seen);
    } else this.#response.begin(channel, seen, linesAboutTarget, type === undefined ? undefined : call);
  }

  /** The request is answered, and the two connections are a tunnel from here on. */
  onUpgrade(channel: UpstreamChannel): void {
    const { tunnelEnd } = this.client;
    const upstream = channel.tunnelEnd;
    if (tunnelEnd === undefined || upstream === undefined) return;
    const { cells, sweep } = this.#gateway;
    const { pauseMs } = this.#record.route!.handling;
    this.#response.upgrade(channel, this.#request.upgrade!);
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
    this.#forward(this.#record.route!);
    this.#copy();
    if (held === undefined || !this.#attempt.isOpen) return;
    for (const piece of held.pieces) this.#send(piece, 0, piece.length);
    if (!this.#attempt.isOpen) return;
    if (!held.isComplete) this.client.resume();
    else if (this.client.request.hasBody) this.#complete();
    this.#attempt.flush();
  }

  onAnswered(answer: Answer): void {
    this.#reply(answer);
  }

  onTooLarge(): void {
    this.#fail("bodyTooLarge");
  }

  #consult(pipeline: Pipeline): void {
    const run = new PluginRun(pipeline, this.#gateway.plugins, this.#asked, this.#gate);
    this.#record.plugins = run;
    this.#gate.ask(run);
  }

  /** Has the copies made that plugins want. What switches protocols, or is translated on its way, is not copied. */
  #copy(): void {
    const copies = this.#record.plugins?.request.copies ?? [];
    const { upgrade, call } = this.#request;
    if (copies.length === 0 || !this.#attempt.isOpen || upgrade !== undefined || call !== undefined) return;
    const made = copies.map((copy) => new CopiedRequest(copy, this.#request, this.#gateway));
    this.#attempt = new CopiedAttempt(this.#attempt, made, this.client.request.hasBody);
  }

  /** Sends a piece of the body on. */
  #send(buffer: Buffer, start: number, end: number): void {
    const { call } = this.#request;
    if (call?.isText !== true) this.#attempt.body(buffer, start, end);
    else {
      const octets = call.decode(buffer, start, end);
      if (octets === undefined) this.#fail("badRequest", "the body of the call is not base64");
      else if (octets.length > 0) this.#attempt.body(octets, 0, octets.length);
    }
  }

  #complete(): void {
    if (this.#request.call?.isWhole === false)
      this.#fail("badRequest", "the body of the call ends within a quantum of base64");
    else this.#attempt.complete(this.client.trailers);
  }

  #dropBoth(): void {
    this.#attempt.drop();
    this.#response.drop();
    this.#gate.clear();
  }

  /** Undefined when a plugin failed, which is the answer. */
  sendingTo(target: Target): Sending | undefined {
    this.#record.target = target;
    const sending = this.#request.sendingTo(target);
    if (isAnswer(sending)) {
      this.#reply(sending);
      return undefined;
    }
    const { wholeMs } = this.#record.route!.handling;
    if (wholeMs > 0) this.#record.limitTarget(wholeMs, () => this.#onLate());
    return sending;
  }

  #onLate(): void {
    const reason = "the target did not end its response in time";
    if (this.#attempt.isOpen) this.#attempt.fail({ kind: "upstreamTimeout", reason });
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
    const { place } = this.#request;
    if (place === undefined) {
      this.#fail("noTarget");
      return;
    }
    const { upstream } = place;
    const { request } = this.client;
    this.#request.open(upstream);
    const client = this.#request.addressFor(upstream);
    if (route.handling.retry !== undefined || upstream.queue !== undefined) {
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
}
