/**
 * What the opening handshake and the HTTP face must do with requests as bytes, one case a row. The
 * expectation is that of the RFC that the group names. `uws` is what uWebSockets.js does instead
 * where that cannot be changed; SECURITY.md lists these, and the day that one of them changes the
 * test fails and says so.
 */

/** A status, or `cut` for a connection that is closed without an answer. */
export type Outcome = number | "cut" | "waits";

type RequestCase = {
  readonly name: string;
  /** Bytes in latin1. */
  readonly request: string;
  /** Any of these is right. */
  readonly right: readonly Outcome[];
  readonly uws?: Outcome;
  readonly node?: Outcome;
};

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

const HANDSHAKE = {
  Host: "127.0.0.1",
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Key": KEY,
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Protocol": "tickwire.v1",
} as const;

/** A handshake with some headers replaced, left out (undefined), or repeated (a list). */
function handshake(
  changes: Readonly<Record<string, string | readonly string[] | undefined>> = {},
  line = "GET /v1/ws HTTP/1.1",
): string {
  const lines = Object.entries({ ...HANDSHAKE, ...changes }).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}`),
  );
  return `${[line, ...lines].join("\r\n")}\r\n\r\n`;
}

function http(line: string, headers: readonly string[], body = ""): string {
  return `${[line, ...headers].join("\r\n")}\r\n\r\n${body}`;
}

const rows = (
  group: string,
  right: Outcome | readonly Outcome[],
  cases: readonly (readonly [
    name: string,
    request: string,
    known?: Pick<RequestCase, "uws" | "node">,
  ])[],
): RequestCase[] =>
  cases.map(([name, request, known]) => ({
    name: `${group}: ${name}`,
    request,
    right: [right].flat() as readonly Outcome[],
    ...known,
  }));

const changed = (name: string, values: readonly (string | readonly string[])[]) =>
  values.map(
    (value) => [`${name} ${JSON.stringify(value)}`, handshake({ [name]: value })] as const,
  );

const HANDSHAKES: readonly RequestCase[] = [
  ...rows("RFC 6455, 4.2.1, accepted", 101, [
    ["as it should be", handshake()],
    [
      "header names in lower case",
      handshake()
        .toLowerCase()
        .replace(KEY.toLowerCase(), KEY)
        .replace("get /v1/ws http/1.1", "GET /v1/ws HTTP/1.1"),
    ],
    [
      "header names in upper case",
      handshake().replace(/^[\w-]+(?=:)/gm, (name) => name.toUpperCase()),
    ],
    ["a query", handshake({}, "GET /v1/ws?a=b HTTP/1.1")],
    ["a query with a question mark", handshake({}, "GET /v1/ws?a=?b HTTP/1.1")],
    ["no space behind colons", handshake().replace(/: /g, ":")],
    ["spaces around values", handshake().replace(/: (.*)\r/g, ":  $1  \r")],
    ["a tab behind a colon", handshake().replace("Upgrade: websocket", "Upgrade:\twebsocket")],
    ...changed("Upgrade", ["WebSocket", "WEBSOCKET", "h2c, websocket", "websocket, h2c"]),
    ...changed("Connection", [
      "upgrade",
      "UPGRADE",
      "keep-alive, Upgrade",
      "Upgrade, keep-alive",
      "keep-alive,Upgrade",
      ["keep-alive", "Upgrade"],
    ]),
    ...changed("Sec-WebSocket-Protocol", [
      "a, tickwire.v1",
      "tickwire.v1, a",
      "tickwire.v1,a",
      ["a", "tickwire.v1"],
      ["tickwire.v1", "a", "b"],
      "tickwire.v1, tickwire.v1",
      ", tickwire.v1",
      "tickwire.v1,",
    ]),
    ...changed("Origin", ["http://127.0.0.1", "null"]),
    ...changed("Cookie", ["a=b; c=d", ["a=b", "c=d"]]),
    ...changed("X-Any", ["", "a", "\u00e9", ["a", "b"]]),
    ...changed("Content-Length", ["0"]),
    ...changed("Sec-WebSocket-Key", ["AAAAAAAAAAAAAAAAAAAAAA==", "/////////////////////w=="]),
  ]),
  ...rows("RFC 6455, 4.2.1, refused", 400, [
    ...["Sec-WebSocket-Version"].map(
      (name) => [`without ${name}`, handshake({ [name]: undefined })] as const,
    ),
    ...changed("Sec-WebSocket-Version", [
      "8",
      "12",
      "14",
      "0",
      "-13",
      "013",
      "13.0",
      "13, 8",
      "x",
      "",
      ["13", "13"],
      ["13", "8"],
    ]),
    ...changed("Sec-WebSocket-Key", [
      KEY.replace("d", "*"),
      "dGhlIHNhbXBsZSBub25jZR==",
      [KEY, KEY],
    ]),
    ...changed("Upgrade", ["websockets", "h2c", "web socket", "websocket/13"]),
    ...changed("Sec-WebSocket-Protocol", [
      "mqtt",
      "tickwire",
      "tickwire.v1 x",
      "Tickwire.V1",
      '"tickwire.v1"',
      "tickwire.v1;q=1",
      "(tickwire.v1)",
      ["tickwire", ".v1"],
    ]),
    ["without a subprotocol", handshake({ "Sec-WebSocket-Protocol": undefined })],
    ["without Host", handshake({ Host: undefined })],
    ...changed("Host", [
      ["127.0.0.1", "127.0.0.1"],
      "a b",
      "a, b",
      "http://127.0.0.1",
      "127.0.0.1:x",
      "user@127.0.0.1",
    ]),
  ]),
  ...rows(
    "RFC 6455, 4.1, no upgrade is asked for",
    [200, 400, 426],
    [
      ["without Upgrade", handshake({ Upgrade: undefined })],
      ["without Connection", handshake({ Connection: undefined })],
      ...changed("Connection", ["keep-alive", "upgraded", "close"]),
    ],
  ),
  ...rows(
    "RFC 6455, 4.2.1, a key is needed",
    [200, 400],
    [
      ["without Sec-WebSocket-Key", handshake({ "Sec-WebSocket-Key": undefined })],
      ["an empty Sec-WebSocket-Key", handshake({ "Sec-WebSocket-Key": "" })],
      ...changed("Sec-WebSocket-Key", [
        "short",
        `${KEY}x`,
        KEY.slice(0, -1),
        KEY.replace("==", ""),
        `${KEY}${KEY}`,
        `${KEY}, ${KEY}`,
      ]),
    ],
  ),
  ...rows(
    "RFC 6455, 4.1, only GET",
    [200, 400, 405, "cut"],
    [
      ["POST", handshake({}, "POST /v1/ws HTTP/1.1")],
      ["HEAD", handshake({}, "HEAD /v1/ws HTTP/1.1")],
      ["PUT", handshake({}, "PUT /v1/ws HTTP/1.1")],
      ["OPTIONS", handshake({}, "OPTIONS /v1/ws HTTP/1.1")],
      ["get in lower case", handshake({}, "get /v1/ws HTTP/1.1")],
    ],
  ),
  ...rows(
    "RFC 6455, 4.1, only HTTP/1.1",
    [400, 426, 505, "cut", 200],
    [
      ["HTTP/1.0", handshake({}, "GET /v1/ws HTTP/1.0")],
      ["HTTP/0.9", handshake({}, "GET /v1/ws HTTP/0.9")],
      ["HTTP/2.0", handshake({}, "GET /v1/ws HTTP/2.0")],
    ],
  ),
  ...rows(
    "another path",
    [200, 404],
    [
      ["the root", handshake({}, "GET / HTTP/1.1")],
      ["below it", handshake({}, "GET /v1/ws/x HTTP/1.1")],
      ["in upper case", handshake({}, "GET /V1/WS HTTP/1.1")],
      ["with a double slash", handshake({}, "GET //v1/ws HTTP/1.1")],
    ],
  ),
];

const HOST = "Host: 127.0.0.1";
const sized = (length: string, body: string) =>
  http("POST /x HTTP/1.1", [HOST, `Content-Length: ${length}`], body);
const chunked = (body: string) =>
  http("POST /x HTTP/1.1", [HOST, "Transfer-Encoding: chunked"], body);

const REQUESTS: readonly RequestCase[] = [
  ...rows("RFC 9110 and 9112, served", 200, [
    ["GET", http("GET /x HTTP/1.1", [HOST])],
    ["HEAD", http("HEAD /x HTTP/1.1", [HOST])],
    ["POST with a body", sized("3", "abc")],
    ["POST without a body", sized("0", "")],
    ["a length with leading zeros", sized("003", "abc")],
    ["PUT", http("PUT /x HTTP/1.1", [HOST, "Content-Length: 1"], "a")],
    ["DELETE", http("DELETE /x HTTP/1.1", [HOST])],
    ["OPTIONS", http("OPTIONS /x HTTP/1.1", [HOST])],
    ["Connection: close", http("GET /x HTTP/1.1", [HOST, "Connection: close"])],
    ["an IPv6 host", http("GET /x HTTP/1.1", ["Host: [::1]:8080"])],
    ["a host with a port", http("GET /x HTTP/1.1", ["Host: 127.0.0.1:80"])],
    ["a host name", http("GET /x HTTP/1.1", ["Host: localhost"])],
    ["a long path", http(`GET /${"x".repeat(2_000)} HTTP/1.1`, [HOST])],
    ["a percent-encoded path", http("GET /%2e%2e/%00 HTTP/1.1", [HOST])],
    [
      "50 headers",
      http("GET /x HTTP/1.1", [HOST, ...Array.from({ length: 50 }, (_, at) => `X-${at}: y`)]),
    ],
    ["one chunk", chunked("3\r\nabc\r\n0\r\n\r\n")],
    ["two chunks", chunked("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")],
    ["no chunk", chunked("0\r\n\r\n")],
    ["a chunk size in upper case", chunked("A\r\n0123456789\r\n0\r\n\r\n")],
    ["a chunk size in lower case", chunked("a\r\n0123456789\r\n0\r\n\r\n")],
    [
      "Chunked in capitals",
      http("POST /x HTTP/1.1", [HOST, "Transfer-Encoding: Chunked"], "0\r\n\r\n"),
    ],
    ["a chunk extension", chunked("3;a=b\r\nabc\r\n0\r\n\r\n"), { uws: "waits" }],
    ["trailers", chunked("3\r\nabc\r\n0\r\nX-T: y\r\n\r\n"), { uws: 505 }],
  ]),
  ...rows(
    "RFC 9112, 3.2, Host",
    [400, "cut"],
    [
      ["none", http("GET /x HTTP/1.1", ["X-A: b"])],
      ["two that differ", http("GET /x HTTP/1.1", [HOST, "Host: localhost"])],
      ["two that do not", http("GET /x HTTP/1.1", [HOST, HOST])],
      ["with a path", http("GET /x HTTP/1.1", ["Host: 127.0.0.1/x"])],
      ["with a user", http("GET /x HTTP/1.1", ["Host: a@127.0.0.1"])],
      ["with a space", http("GET /x HTTP/1.1", ["Host: 127.0.0.1 evil"])],
    ],
  ),
  ...rows(
    "RFC 9112, 6.3, length",
    [400, "cut"],
    [
      ["negative", sized("-1", "abc")],
      ["with a sign", sized("+3", "abc")],
      ["hexadecimal", sized("0x3", "abc")],
      ["no number", sized("abc", "abc")],
      ["with a fraction", sized("3.0", "abc")],
      ["empty", sized("", "abc")],
      ["with a space inside", sized("3 3", "abc")],
      ["a list of two that differ", sized("3, 4", "abcd")],
      ["of 20 digits", sized("99999999999999999999", "abc")],
      ["of 30 digits", sized("9".repeat(30), "abc")],
      [
        "twice, different",
        http("POST /x HTTP/1.1", [HOST, "Content-Length: 3", "Content-Length: 4"], "abcd"),
      ],
      [
        "twice, the smaller last",
        http("POST /x HTTP/1.1", [HOST, "Content-Length: 4", "Content-Length: 3"], "abcd"),
      ],
      [
        "twice, one of them bad",
        http("POST /x HTTP/1.1", [HOST, "Content-Length: 3", "Content-Length: x"], "abc"),
      ],
    ],
  ),
  ...rows(
    "RFC 9112, 6.3, the same length twice is refused or taken as one",
    [200, 400, "cut"],
    [
      [
        "as two headers",
        http("POST /x HTTP/1.1", [HOST, "Content-Length: 3", "Content-Length: 3"], "abc"),
      ],
      ["as a list", sized("3, 3", "abc")],
    ],
  ),
  ...rows(
    "RFC 9112, 6.1, transfer coding",
    [400, 501, "cut"],
    [
      [
        "with a length",
        http(
          "POST /x HTTP/1.1",
          [HOST, "Content-Length: 3", "Transfer-Encoding: chunked"],
          "0\r\n\r\n",
        ),
      ],
      [
        "with a length behind it",
        http(
          "POST /x HTTP/1.1",
          [HOST, "Transfer-Encoding: chunked", "Content-Length: 3"],
          "0\r\n\r\n",
        ),
      ],
      ["gzip", http("POST /x HTTP/1.1", [HOST, "Transfer-Encoding: gzip"], "0\r\n\r\n")],
      ["identity", http("POST /x HTTP/1.1", [HOST, "Transfer-Encoding: identity"], "0\r\n\r\n")],
      [
        "chunked and then gzip",
        http("POST /x HTTP/1.1", [HOST, "Transfer-Encoding: chunked, gzip"], "0\r\n\r\n"),
      ],
      [
        "chunked twice",
        http(
          "POST /x HTTP/1.1",
          [HOST, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
          "0\r\n\r\n",
        ),
      ],
      [
        "chunked and identity",
        http(
          "POST /x HTTP/1.1",
          [HOST, "Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
          "0\r\n\r\n",
        ),
      ],
      [
        "a word that begins as chunked",
        http("POST /x HTTP/1.1", [HOST, "Transfer-Encoding: chunkedx"], "0\r\n\r\n"),
      ],
      [
        "with a space before the colon",
        http("POST /x HTTP/1.1", [HOST, "Transfer-Encoding : chunked"], "0\r\n\r\n"),
      ],
      ["empty", http("POST /x HTTP/1.1", [HOST, "Transfer-Encoding: "], "0\r\n\r\n")],
    ],
  ),
  ...rows(
    "RFC 9112, 7.1, chunks",
    [400, "cut"],
    [
      ["a size that is none", chunked("x\r\nabc\r\n0\r\n\r\n")],
      ["a negative size", chunked("-1\r\nabc\r\n0\r\n\r\n")],
      ["a size of 20 digits", chunked("ffffffffffffffffffff\r\nabc\r\n0\r\n\r\n")],
      ["a size with a prefix", chunked("0x3\r\nabc\r\n0\r\n\r\n")],
      ["more than the size says", chunked("3\r\nabcd\r\n0\r\n\r\n"), { uws: 200 }],
      ["no size", chunked("\r\nabc\r\n0\r\n\r\n"), { uws: 200 }],
    ],
  ),
  ...rows(
    "RFC 9112, 2 and 5, form",
    [400, 404, 405, 414, 431, 501, 505, "cut"],
    [
      ["no version", http("GET /x", [HOST]), { uws: "waits", node: 200 }],
      ["a version that is none", http("GET /x HTTP/x.y", [HOST])],
      ["HTTP/3.0", http("GET /x HTTP/3.0", [HOST])],
      ["another protocol", http("GET /x SIP/2.0", [HOST])],
      ["no target", http("GET HTTP/1.1", [HOST])],
      ["two spaces", http("GET  /x HTTP/1.1", [HOST]), { node: 200 }],
      ["a space before the colon", http("GET /x HTTP/1.1", [HOST, "X-A : b"])],
      ["a space in a header's name", http("GET /x HTTP/1.1", [HOST, "X A: b"])],
      ["a header without a colon", http("GET /x HTTP/1.1", [HOST, "X-A"])],
      ["a header without a name", http("GET /x HTTP/1.1", [HOST, ": b"]), { uws: 200 }],
      ["a folded header", http("GET /x HTTP/1.1", [HOST, "X-A: b", " c"])],
      ["a fold before any header", http("GET /x HTTP/1.1", [" X-A: b", HOST])],
      ["NUL in a value", http("GET /x HTTP/1.1", [HOST, "X-A: b\0c"])],
      ["NUL in a name", http("GET /x HTTP/1.1", [HOST, "X\0A: b"])],
      ["a bare CR in a value", http("GET /x HTTP/1.1", [HOST, "X-A: b\rc"]), { uws: "waits" }],
      ["a bare LF between headers", `GET /x HTTP/1.1\r\n${HOST}\nX-A: b\r\n\r\n`],
      ["a method that is none", http("G@T /x HTTP/1.1", [HOST]), { uws: 200 }],
      ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"],
      ["rubbish", "rubbish\r\n\r\n", { uws: "waits" }],
      ["CONNECT", http("CONNECT 127.0.0.1:80 HTTP/1.1", [HOST])],
      ["TRACE", http("TRACE /x HTTP/1.1", [HOST])],
      ["20 KiB of headers", http("GET /x HTTP/1.1", [HOST, `X-A: ${"y".repeat(20_000)}`])],
      ["a path of 20 KiB", http(`GET /${"x".repeat(20_000)} HTTP/1.1`, [HOST])],
      ["the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ],
  ),
];

export const REQUEST_CASES: readonly RequestCase[] = [...HANDSHAKES, ...REQUESTS];
