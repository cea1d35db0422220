import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { missing } from "../support/installed.ts";
import { TlsProxy } from "../support/tls-proxy.ts";

const run = promisify(execFile);

/** Those of the project's own cases that need neither an account of a cloud nor several servers. */
const CASES = [
  ...["empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream"],
  ...["timeout_on_sleeping_server", "cancel_after_begin", "cancel_after_first_response", "status_code_and_message"],
  ...["special_status_message", "custom_metadata", "unimplemented_method", "unimplemented_service"],
];

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
      .on("error", () => resolve(false))
      .on("connect", () => {
        socket.destroy();
        resolve(true);
      });
  });
}

/** The interoperability client and server of gRPC for Go, under names of their own (docs/conformance.md). */
describe("gRPC's own cases of interoperability, through the gateway", {
  skip: missing("grpc-interop-client") || missing("grpc-interop-server"),
}, () => {
  let server: ChildProcess;
  let tls: TlsProxy;
  let plain: TlsProxy;

  before(async () => {
    const port = await freePort();
    server = spawn("grpc-interop-server", ["-port", String(port)], { stdio: "ignore" });
    await eventually("the server listens", () => accepts(port));
    const routes = {
      all: { path: "/", path_prefix: true, backends: [{ url: `http://127.0.0.1:${port}`, http2: true }] },
    };
    tls = await TlsProxy.start();
    const { certFile, keyFile } = await tls.authority.issue("gateway", { commonName: "localhost" });
    await tls.apply({ ...tls.sketch("", { cert_file: certFile, key_file: keyFile }), routes });
    plain = await TlsProxy.start();
    await plain.apply({ ...plain.sketch("", undefined), routes });
  });
  after(async () => {
    for (const proxy of [tls, plain]) await proxy[Symbol.asyncDispose]();
    server.kill();
    await once(server, "exit");
  });

  const call = (port: number, name: string, ...options: readonly string[]) =>
    run("grpc-interop-client", [
      "-server_host",
      "127.0.0.1",
      "-server_port",
      String(port),
      "-test_case",
      name,
      ...options,
    ]);

  for (const name of CASES)
    it(`${name} passes over TLS and in the clear`, async () => {
      const ca = ["-use_tls", "-use_test_ca", "-ca_file", tls.authority.caFile, "-server_host_override", "localhost"];
      for (const { stderr } of [await call(tls.port, name, ...ca), await call(plain.port, name)])
        assert.doesNotMatch(stderr, /FATAL/);
    });
});
