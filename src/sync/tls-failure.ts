/** Codes of Node and OpenSSL, in words that say what to do. Others speak for themselves. */
const SENTENCES: Readonly<Record<string, string>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "the peer presented no certificate",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "the peer asks for a certificate and was given none",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "the peer does not know the authority of the certificate it was given",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "the peer does not speak TLS 1.3",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "the peer does not speak TLS 1.3",
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: "the peer does not speak TLS 1.3",
  CERT_HAS_EXPIRED: "the peer's certificate has expired",
  CERT_NOT_YET_VALID: "the peer's certificate is not valid yet",
  CERT_REVOKED: "the peer's certificate was revoked",
  SELF_SIGNED_CERT_IN_CHAIN: "the peer's certificate is from an authority that is not in the CA file",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the peer's certificate is self-signed and not in the CA file",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the peer's certificate is from an authority that is not in the CA file",
  UNABLE_TO_GET_ISSUER_CERT: "the peer's certificate is from an authority that is not in the CA file",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the peer's certificate is from an authority that is not in the CA file",
  ECONNRESET: "the peer closed the connection during the handshake",
};

/** What went wrong in a handshake, as a sentence for people. */
export function describeTlsFailure({ code, message }: NodeJS.ErrnoException): string {
  return (code !== undefined && SENTENCES[code]) || message.trim();
}
