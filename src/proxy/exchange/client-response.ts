import type { FailureKind } from "../../core/failure.ts";
import type { BodyFraming } from "../../http/body-reader.ts";
import type { RequestChannel } from "../../http/request-channel.ts";
import type { ResponseParser } from "../../http/response-parser.ts";
import { NO_TRAILERS, type Trailers, takesTrailers, trailerOf, writeTrailers } from "../../http/trailers.ts";
import type { UpstreamChannel } from "../../http/upstream-channel.ts";
import type { Answer } from "../../sdk/answer.ts";
import type { ResponseContext } from "../../sdk/response-context.ts";
import type { Gateway } from "../worker/gateway.ts";
import { clientFraming, endBody, writeBody } from "./body-framing.ts";
import {
  type Answering,
  writeEmptyAnswer,
  writeForwardedResponse,
  writeInterimResponse,
  writeUpgradeResponse,
} from "./forwarded-response.ts";
import { isGrpc } from "./grpc/grpc-call.ts";
import { grpcStatusLines, writeCallFailure } from "./grpc/grpc-failure.ts";
import type { GrpcWebCall } from "./grpc/grpc-web-call.ts";
import type { RequestRecord } from "./request-record.ts";
import { writeOwnAnswer } from "./rescue.ts";
import { TransformedBody, type TransformedBodyOwner } from "./transformed-body.ts";

/** Where the body of a response comes from. */
export interface ResponseSource {
  pauseResponse(): void;
  resumeResponse(): void;
  onFault(error: unknown): void;
}

/**
 * What the client gets: the response of a target, or an answer of ours in its place, and the end of both. One object writes the
 * answers to all requests of a channel, one after another.
 */
export class ClientResponse implements TransformedBodyOwner {
  readonly #client: RequestChannel;
  readonly #gateway: Gateway;
  readonly #record: RequestRecord;
  readonly #source: ResponseSource;
  #keepAlive = false;
  #framing: BodyFraming = "none";
  /** The body where plugins change it. */
  #transformed: TransformedBody | undefined;
  /** Where the target answers a call of gRPC-Web in gRPC. */
  #call: GrpcWebCall | undefined;

  constructor(client: RequestChannel, gateway: Gateway, record: RequestRecord, source: ResponseSource) {
    this.#client = client;
    this.#gateway = gateway;
    this.#record = record;
    this.#source = source;
  }

  interim(response: ResponseParser): void {
    const { request, writer } = this.#client;
    if (request.minorVersion === 0) return; // HTTP/1.0 knows no 1xx.
    if (response.status !== 100) writer.text(writeInterimResponse(response));
    else if (request.expectsContinue && this.#record.requestBytes === 0) this.#client.askForBody();
  }

  /**
   * Sends the head of a target's response.
   * @param seen what plugins made of it
   * @param lines further lines of the head
   * @param call what the caller made of gRPC-Web the target got as gRPC
   */
  begin(
    { response, framing }: UpstreamChannel,
    seen: ResponseContext | undefined,
    lines: string,
    call: GrpcWebCall | undefined,
  ): void {
    const client = this.#client;
    // What is nothing but an end is one in its head.
    const status = client.request.method === "POST" ? response.fields.find("grpc-status") : undefined;
    this.#record.grpcStatus = status;
    this.#call = status === undefined ? call : undefined;
    this.#record.upstreamAnswered(response.status);
    const transforms = seen?.transforms ?? [];
    const hasOtherLength = transforms.length > 0 || this.#call !== undefined;
    this.#framing = clientFraming(hasOtherLength ? "chunked" : framing, client.takesChunks);
    this.#transformed = transforms.length > 0 ? new TransformedBody(transforms, this) : undefined;
    this.#keepAlive = this.#mayKeepAlive() && this.#framing !== "until-close";
    const takesTrailers = this.#takesTrailers && !hasOtherLength;
    client.writer.text(writeForwardedResponse(response, this.#framing, this.#answering(), takesTrailers, seen, lines));
  }

  /** The head that makes a tunnel of the connection. */
  upgrade({ response }: UpstreamChannel, protocol: string): void {
    this.#client.writer.text(writeUpgradeResponse(response, protocol, this.#record.requestId));
    this.#record.upstreamAnswered(101);
    this.#record.closeAnswered(this.#client, 101);
  }

  body(buffer: Buffer, start: number, end: number): void {
    if (this.#call === undefined) this.#pass(buffer, start, end);
    else this.#passAll(this.#call.encode(buffer.subarray(start, end)));
  }

  /** Lets go what was gathered. Answers true when the client cannot keep up; `resume` is for when it has. */
  flush(): boolean {
    const { writer } = this.#client;
    if (this.#call !== undefined) this.#passAll(this.#call.flush());
    writer.flush();
    this.#transformed?.flush();
    if (!writer.isFull) return false;
    this.#client.awaitWritable();
    return true;
  }

  resume(): void {
    this.#transformed?.resume();
  }

  end(trailers: Trailers): void {
    if (trailers.length > 0) this.#record.grpcStatus ??= trailerOf(trailers, "grpc-status");
    if (this.#call !== undefined) this.#passAll(this.#call.end(writeTrailers(trailers)));
    if (this.#transformed !== undefined) this.#transformed.end();
    else this.#end(trailers);
  }

  /** Nothing more of the target's response is sent. */
  drop(): void {
    if (this.#transformed === undefined) return;
    this.#transformed.drop();
    this.#transformed = undefined;
    this.#call = undefined; // What it still has to say would have to go the same way.
  }

  /** Answers in place of a target. After a request that could not be read to its end (`isClear`) nothing can follow. */
  answer(answer: Answer, isClear: boolean): void {
    const { status, failure, body, detail } = answer;
    const { request, writer } = this.#client;
    if (failure !== undefined && status >= 500) this.#gateway.cells.add("gatewayFailures", 1);
    this.#keepAlive = isClear && this.#mayKeepAlive();
    this.#record.responseBytes += body.length;
    const answering = this.#answering();
    const told =
      failure !== undefined && request.method === "POST"
        ? writeCallFailure(request.fields, failure, detail, answering)
        : undefined;
    writer.text(told ?? writeOwnAnswer(answer, request.method === "HEAD", answering));
    this.#finish(told === undefined ? status : 200, failure);
  }

  /** Answers with nothing. */
  answerEmpty(): void {
    this.#keepAlive = this.#mayKeepAlive();
    this.#client.writer.text(writeEmptyAnswer(this.#answering()));
    this.#finish(204);
  }

  /** Ends a response that began. A caller of gRPC is told in its end that it failed; to others it is shown by having none. */
  cut(kind: FailureKind): void {
    const client = this.#client;
    this.#gateway.cells.add("gatewayFailures", 1);
    this.#record.closeCut(client, kind);
    if (this.#call !== undefined) {
      this.#passAll(this.#call.end(grpcStatusLines(kind, undefined)));
      endBody(client.writer, this.#framing === "chunked", "");
      client.finish(false);
    } else if (
      this.#framing === "until-close" &&
      client.writer.trailers !== undefined &&
      isGrpc(client.request.fields)
    ) {
      endBody(client.writer, false, grpcStatusLines(kind, undefined));
      client.finish(false);
    } else client.destroy();
  }

  onTransformed(octets: Buffer): void {
    this.#guarded(() => {
      const { writer } = this.#client;
      this.#write(octets, 0, octets.length);
      writer.flush();
      if (!writer.isFull) return;
      this.#transformed?.pause();
      this.#client.awaitWritable();
    });
  }

  onTransformFull(): void {
    this.#source.pauseResponse();
  }

  onTransformDrained(): void {
    this.#source.resumeResponse();
  }

  onTransformEnd(): void {
    this.#guarded(() => this.#end(NO_TRAILERS));
  }

  onTransformFailed(error: Error): void {
    this.#guarded(() => this.#source.onFault(error));
  }

  /** On the way to the client, through the plugins that change the body. */
  #pass(buffer: Buffer, start: number, end: number): void {
    if (start === end) return;
    if (this.#transformed !== undefined) this.#transformed.write(buffer, start, end);
    else this.#write(buffer, start, end);
  }

  #passAll(octets: Buffer): void {
    this.#pass(octets, 0, octets.length);
  }

  #write(buffer: Buffer, start: number, end: number): void {
    this.#record.responseBytes += end - start;
    writeBody(this.#client.writer, this.#framing === "chunked", buffer, start, end);
  }

  #end(trailers: Trailers): void {
    this.#transformed = undefined;
    const lines = trailers.length > 0 && this.#call === undefined && this.#takesTrailers ? writeTrailers(trailers) : "";
    this.#call = undefined;
    endBody(this.#client.writer, this.#framing === "chunked", lines);
    this.#finish(this.#record.status);
  }

  #finish(status: number, failure?: FailureKind): void {
    this.#record.closeAnswered(this.#client, status, failure);
    this.#client.finish(this.#keepAlive);
  }

  /** For what happens outside of the callbacks of the two connections. */
  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#source.onFault(error);
    }
  }

  #answering(): Answering {
    return {
      minorVersion: this.#client.request.minorVersion,
      keepAlive: this.#keepAlive,
      requestId: this.#record.requestId,
      dateLine: this.#gateway.dateLine,
    };
  }

  #mayKeepAlive(): boolean {
    const client = this.#client;
    return client.request.keepAlive && client.isRequestComplete && !client.isClosing && !this.#gateway.isDraining;
  }

  /** Whether fields may follow the body: a client of HTTP/1.1 has to say that it takes them (RFC 9110 §6.5.1). */
  get #takesTrailers(): boolean {
    if (this.#framing === "chunked") return takesTrailers(this.#client.request.fields);
    return this.#framing === "until-close" && this.#client.writer.trailers !== undefined;
  }
}
