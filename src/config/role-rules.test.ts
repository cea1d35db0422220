import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadNode } from "./load-node.ts";
import { describeProblem } from "./problem.ts";
import { plainLanguage } from "./testing/plain-language.ts";

function problemsOf(text: string): string[] {
  const node = loadNode(plainLanguage, { text, env: {} });
  return node.ok ? [] : node.problems.map(describeProblem).map((problem) => problem.replace(/^line \d+: /, ""));
}

const CP = "address: ':9443', tls: {enabled: true, cert_file: a, key_file: b, client_ca_file: c}";
const DP = "address: 'cp:9443', tls: {enabled: true, cert_file: a, key_file: b, ca_file: c}";

describe("cluster roles", () => {
  it("are standalone when nothing is said, and otherwise one of three", () => {
    for (const text of ["admin: {}", "cluster: {}", "cluster: {role: ''}", "cluster: {role: standalone}"])
      assert.deepEqual(problemsOf(text), [], text);
    assert.deepEqual(problemsOf("cluster: {role: leader}"), [
      'cluster.role must be "standalone", "control_plane", or "data_plane", got "leader"',
    ]);
  });

  it("need an address and mutual TLS on a control plane", () => {
    assert.deepEqual(problemsOf(`cluster: {role: control_plane, control_plane: {${CP}}}`), []);
    assert.deepEqual(problemsOf("cluster: {role: control_plane}"), [
      "cluster.control_plane.address is required for control_plane role",
      "cluster.control_plane.tls.enabled must be true (mTLS required)",
      "cluster.control_plane.tls requires cert_file and key_file",
      "cluster.control_plane.tls.client_ca_file is required to verify data plane certificates",
    ]);
  });

  it("need an address and mutual TLS on a data plane", () => {
    assert.deepEqual(problemsOf(`cluster: {role: data_plane, data_plane: {${DP}}}`), []);
    assert.deepEqual(problemsOf("cluster: {role: data_plane}"), [
      "cluster.data_plane.address is required for data_plane role",
      "cluster.data_plane.tls.enabled must be true (mTLS required)",
      "cluster.data_plane.tls requires cert_file and key_file",
      "cluster.data_plane.tls.ca_file is required to verify control plane certificate",
    ]);
  });

  it("sign certificates with an authority that is there as a whole, and renew where both files are one", () => {
    assert.deepEqual(problemsOf(`cluster: {role: control_plane, control_plane: {${CP}, ca: {cert_file: d}}}`), [
      "cluster.control_plane.ca needs both cert_file and key_file",
    ]);
    const renewing = (key: string) =>
      `cluster: {role: data_plane, data_plane: {address: 'cp:1', tls: {enabled: true, cert_file: a, key_file: ${key}, ca_file: c, renew: true}}}`;
    assert.deepEqual(problemsOf(renewing("a")), []);
    assert.deepEqual(problemsOf(renewing("b")), [
      "cluster.data_plane.tls.renew needs cert_file and key_file to be one file, as `runway join` makes it",
    ]);
  });

  it("do not ask for what another role needs", () => {
    assert.deepEqual(problemsOf(`cluster: {role: data_plane, control_plane: {}, data_plane: {${DP}}}`), []);
  });

  it("leave listeners and logging to a data plane's file, and tell of all that would have no effect", () => {
    const cluster = `cluster: {role: data_plane, data_plane: {${DP}}}\n`;
    assert.deepEqual(problemsOf(`${cluster}listeners: [{id: a, address: ':0'}]\nlogging: {level: debug}`), []);
    const upstream = "backends: [{url: 'http://x'}]";
    assert.deepEqual(
      problemsOf(`${cluster}routes: [{id: a, path: /a, ${upstream}}, {id: b, path: /b, ${upstream}}]\ntransport: {}`),
      [
        "routes: a data plane gets routes from the control plane; remove this here and write it there",
        "transport: a data plane gets transport from the control plane; remove this here and write it there",
      ],
    );
  });
});
