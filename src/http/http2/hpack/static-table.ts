/** A field as HPACK's tables hold it, its name in lower case. */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

/** The fields that every table begins with (RFC 7541 Appendix A); index 1 is the first. */
const TEXT = `
:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`;

export const STATIC_FIELDS: readonly (HeaderField | undefined)[] = TEXT.split("\n").map((line) => {
  if (line === "") return undefined;
  const [name = "", ...value] = line.split(" ");
  return { name, value: value.join(" ") };
});

/** The first index of each name. */
export const STATIC_NAMES: ReadonlyMap<string, number> = new Map(
  STATIC_FIELDS.map((field, index) => [field?.name ?? "", index] as const).reverse(),
);
