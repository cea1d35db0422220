import type { Problem } from "../problem.ts";
import type { Listener } from "../resources/listener.ts";
import { type Check, problemOf } from "./check.ts";

/** A listener that speaks TLS has all that it needs for it, and none is given TLS that it does not speak. */
export const listenerTls: Check = function* ({ listeners, certificates }) {
  const areShared = certificates.length > 0;
  for (const { id, tls } of listeners) yield* tls.enabled ? missing(id, tls, areShared) : forgotten(id, tls);
};

const NONE =
  "is missing: name a certificate with cert_file and key_file, several with certificates, or some for every listener under `certificates`";

type Tls = Listener["tls"];

function* missing(id: string, tls: Tls, areShared: boolean): Generator<Problem> {
  const at = (path: string, message: string) => problemOf("listener", id, `tls.${path}`, message);
  if (tls.cert_file === "" && tls.key_file === "" && tls.certificates.length === 0) {
    if (!areShared) yield at("cert_file", NONE);
  } else if (tls.cert_file === "" && tls.key_file !== "")
    yield at("cert_file", "is missing: key_file is the key of none");
  else if (tls.cert_file !== "" && tls.key_file === "") yield at("key_file", "is missing: cert_file needs its key");
  for (const [index, { cert_file, key_file }] of tls.certificates.entries()) {
    if (cert_file === "") yield at(`certificates[${index}].cert_file`, "is missing");
    if (key_file === "") yield at(`certificates[${index}].key_file`, "is missing");
  }
  if (tls.client_auth === "verify" && tls.client_ca_file === "")
    yield at("client_ca_file", "is missing: client_auth: verify needs the authorities to verify with");
  if (tls.client_auth !== "verify" && tls.client_ca_file !== "")
    yield at("client_ca_file", `nobody is verified with it: client_auth is ${tls.client_auth}; did you mean verify?`);
  yield* repeatedHosts(tls, at);
}

function* repeatedHosts({ certificates }: Tls, at: (path: string, message: string) => Problem): Generator<Problem> {
  const owners = new Map<string, number>();
  for (const [index, { hosts }] of certificates.entries())
    for (const [position, host] of hosts.entries()) {
      const owner = owners.getOrInsert(host.toLowerCase(), index);
      if (owner === index) continue;
      yield at(`certificates[${index}].hosts[${position}]`, `${host} is shown certificates[${owner}] already`);
    }
}

function* forgotten(id: string, { cert_file, certificates }: Tls): Generator<Problem> {
  if (cert_file === "" && certificates.length === 0) return;
  const message = "is false, so what is named here would not be used: say enabled: true, or take it away";
  yield problemOf("listener", id, "tls.enabled", message);
}
