/** The wire, on real sockets: what a mocked client never shows. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createTransport, type HttpTransportOptions, type Lookup } from "../../../../engine/components/transport/http.ts";
import type { OutgoingRequest, SendOptions, Transport } from "../../../../engine/components/kinds.ts";

let server: Server;
let port: number;
let handle: (request: IncomingMessage, response: ServerResponse) => void;
const seen: { url: string; headers: IncomingMessage["headers"] }[] = [];
const open: Transport[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push({ url: request.url ?? "", headers: request.headers });
    handle(request, response);
  });
  await new Promise<void>((done) => { server.listen(0, "127.0.0.1", done); });
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  seen.length = 0;
  await Promise.all(open.splice(0).map((transport) => transport.close()));
});
afterAll(() => { server.closeAllConnections(); server.close(); });

const timeouts = { connect: 5, headers: 5, idle: 5, total: 10 };
const transport = (options: HttpTransportOptions = { allowPrivate: true }): Transport => {
  const made = createTransport(options);
  open.push(made);
  return made;
};
const outgoing = (url: string, parts: Partial<OutgoingRequest> = {}): OutgoingRequest => ({ method: "GET", url: new URL(url), headers: new Headers(), body: undefined, label: "GET /x", ...parts });
const send = (path: string, options: Partial<SendOptions> = {}, parts: Partial<OutgoingRequest> = {}, from = transport()) =>
  from.send(outgoing(/^[a-z]+:/i.test(path) ? path : `http://127.0.0.1:${port}${path}`, parts), { signal: new AbortController().signal, timeouts, maxBodyBytes: 1_000_000, ...options });
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe("answers", () => {
  test.each([["gzip", gzipSync], ["deflate", deflateSync], ["br", brotliCompressSync]] as const)("%s is read", async (coding, compress) => {
    handle = (_request, response) => { response.writeHead(200, { "content-encoding": coding }).end(compress("hello")); };
    const answer = await send("/a?x=1&$y=%20");
    expect({ status: answer.status, body: text(answer.bytes), url: answer.url }).toEqual({ status: 200, body: "hello", url: `http://127.0.0.1:${port}/a?x=1&$y=%20` });
    expect(seen[0]!.url).toBe("/a?x=1&$y=%20");
  });

  test("two content codings are refused: a chain of them is a bomb", async () => {
    handle = (_request, response) => { response.writeHead(200, { "content-encoding": "gzip, gzip" }).end(gzipSync(gzipSync("x"))); };
    await expect(send("/")).rejects.toMatchObject({ code: "RUN_NOT_DECODABLE" });
  });

  test("a compressed bomb is stopped at the cap, while it is read", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    handle = (_request, response) => { response.writeHead(200, { "content-encoding": "gzip" }).end(bomb); };
    const before = process.memoryUsage().rss;
    await expect(send("/", { maxBodyBytes: 100_000 })).rejects.toMatchObject({ code: "RUN_BODY_TOO_LARGE" });
    expect(process.memoryUsage().rss - before).toBeLessThan(40_000_000);
  });

  test("a body that ends early is a failure, never a shorter body", async () => {
    handle = (_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half");
      setTimeout(() => { response.destroy(); }, 20);
    };
    await expect(send("/")).rejects.toMatchObject({ code: "RUN_NETWORK" });
    handle = (_request, response) => { response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("a".repeat(10_000)).subarray(0, 30)); };
    await expect(send("/")).rejects.toMatchObject({ code: "RUN_NETWORK" });
  });

  test("an empty answer with a content coding is empty", async () => {
    handle = (_request, response) => { response.writeHead(204, { "content-encoding": "gzip" }).end(); };
    expect((await send("/")).bytes).toHaveLength(0);
  });

  test("ten thousand headers are refused", async () => {
    const tcp = createTcpServer((socket) => {
      socket.on("error", () => {}).once("data", () => { socket.end(`HTTP/1.1 200 OK\r\n${Array.from({ length: 10_000 }, (_, index) => `x-${index}: ${"v".repeat(20)}\r\n`).join("")}\r\n`); });
    });
    await new Promise<void>((done) => { tcp.listen(0, "127.0.0.1", done); });
    await expect(send(`http://127.0.0.1:${(tcp.address() as AddressInfo).port}/`)).rejects.toMatchObject({ code: "RUN_NETWORK" });
    tcp.close();
  });
});

describe("four time-outs, and each has its name", () => {
  test("headers that do not come", async () => {
    handle = () => {};
    await expect(send("/", { timeouts: { ...timeouts, headers: 0.2 } })).rejects.toMatchObject({ code: "RUN_TIMEOUT", params: { limit: "headers" } });
  });

  test("a body that goes silent", async () => {
    handle = (_request, response) => { response.writeHead(200).write("a"); };
    await expect(send("/", { timeouts: { ...timeouts, idle: 0.2 } })).rejects.toMatchObject({ code: "RUN_TIMEOUT", params: { limit: "idle" } });
  });

  test("a body that drips for ever: the total always wins", async () => {
    handle = (_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => { response.write("x"); }, 30);
      response.on("close", () => { clearInterval(drip); });
    };
    await expect(send("/", { timeouts: { ...timeouts, idle: 1, total: 0.4 } })).rejects.toMatchObject({ code: "RUN_TIMEOUT", params: { limit: "total" } });
  });

  test("headers that drip for ever", async () => {
    const sockets: Socket[] = [];
    const tcp = createTcpServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => {}).write("HTTP/1.1 200 OK\r\n");
      const drip = setInterval(() => { socket.write("x"); }, 30);
      socket.on("close", () => { clearInterval(drip); });
    });
    await new Promise<void>((done) => { tcp.listen(0, "127.0.0.1", done); });
    await expect(send(`http://127.0.0.1:${(tcp.address() as AddressInfo).port}/`, { timeouts: { ...timeouts, headers: 5, total: 0.5 } })).rejects.toMatchObject({ code: "RUN_TIMEOUT", params: { limit: "total" } });
    tcp.close();
    for (const socket of sockets) socket.destroy();
  });

  test("a connection that is not made", async () => {
    // Answers the look-up never, which to a caller is a connection that is never made.
    const lookup: Lookup = () => {};
    await expect(send("http://slow.test/", { timeouts: { ...timeouts, connect: 0.3 } }, {}, transport({ allowPrivate: true, lookup }))).rejects.toMatchObject({ code: "RUN_TIMEOUT", params: { limit: "connect" } });
  });

  test("an aborted run stops the request with the run's own reason", async () => {
    handle = () => {};
    const stop = new AbortController();
    setTimeout(() => { stop.abort(new Error("stopped")); }, 50);
    await expect(send("/", { signal: stop.signal })).rejects.toThrow("stopped");
  });
});

describe("redirects", () => {
  test("a GET follows one to the same origin, with its headers", async () => {
    handle = (request, response) => {
      if (request.url === "/old") response.writeHead(302, { location: "/new" }).end();
      else response.end("there");
    };
    const answer = await send("/old", {}, { headers: new Headers({ "x-api-key": "k" }) });
    expect({ body: text(answer.bytes), url: answer.url, key: seen[1]!.headers["x-api-key"] }).toEqual({ body: "there", url: `http://127.0.0.1:${port}/new`, key: "k" });
  });

  test("no credential goes to another origin, in whatever header it stands", async () => {
    const captured: IncomingMessage["headers"][] = [];
    const foreign = createServer((request, response) => { captured.push(request.headers); response.end("{}"); });
    await new Promise<void>((done) => { foreign.listen(0, "127.0.0.1", done); });
    const elsewhere = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`;
    for (const status of [301, 302, 303, 307, 308]) {
      handle = (_request, response) => { response.writeHead(status, { location: elsewhere }).end(); };
      await expect(send("/", {}, { headers: new Headers({ authorization: "Bearer canary", "x-api-key": "canary" }) })).rejects.toMatchObject({ code: "RUN_REDIRECT" });
    }
    expect(captured).toEqual([]);
    foreign.close();
  });

  test("a POST is not redirected, and a circle ends", async () => {
    handle = (_request, response) => { response.writeHead(307, { location: "/again" }).end(); };
    await expect(send("/", {}, { method: "POST", body: "{}" })).rejects.toMatchObject({ code: "RUN_REDIRECT" });
    await expect(send("/")).rejects.toMatchObject({ code: "RUN_REDIRECT" });
    expect(seen.length).toBeLessThanOrEqual(8);
  });
});

describe("egress", () => {
  const never = { lookup: ((_host, _options, done) => { done(null, [{ address: "127.0.0.1", family: 4 }]); }) as Lookup };

  /** Spellings of places that are not on the public internet, as a manifest, a template, a link or a redirect may hold them. */
  const SPELLINGS = [
    "http://127.0.0.1/", "https://127.0.0.1/", "http://127.1/", "http://127.0.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/", "http://0177.1/", "http://017700000001/",
    "http://127.0.0.1./", "http://127.000.000.001/", "https://127.255.255.254/", "http://0.0.0.0/", "http://0/", "https://0.0.0.0/", "http://localhost/", "https://localhost/", "https://localhost./", "https://LOCALHOST/",
    "https://10.0.0.1/", "https://10.255.255.255/", "https://172.16.0.1/", "https://172.31.255.255/", "https://192.168.0.1/", "https://192.168.1.1:8443/", "https://100.64.0.1/", "https://169.254.169.254/", "http://169.254.169.254/latest/meta-data/", "https://2852039166/",
    "https://0xa9fea9fe/", "https://192.0.0.1/", "https://192.0.2.1/", "https://198.18.0.1/", "https://198.51.100.1/", "https://203.0.113.1/", "https://224.0.0.1/", "https://239.255.255.255/", "https://240.0.0.1/", "https://255.255.255.255/",
    "https://[::1]/", "https://[0:0:0:0:0:0:0:1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/", "https://[::7f00:1]/", "https://[::ffff:10.0.0.1]/", "https://[::ffff:0:127.0.0.1]/", "https://[64:ff9b::127.0.0.1]/",
    "https://[64:ff9b:1::7f00:1]/", "https://[2002:7f00:1::]/", "https://[2001:0:7f00:1::]/", "https://[fe80::1]/", "https://[fc00::1]/", "https://[fd12:3456:789a::1]/", "https://[ff02::1]/", "https://[2001:db8::1]/", "https://[100::1]/", "https://[fec0::1]/", "https://[3fff::1]/",
    "https://user:pass@127.0.0.1/", "https://public.test@127.0.0.1/", "https://user@public.test/", "https://１２７.0.0.1/", "https://①②⑦.0.0.1/", "https://127。0。0。1/", "https://rebound.test/", "http://public.test/", "https://8.8.8.8:22/", "https://8.8.8.8:25/", "https://8.8.8.8:5432/", "https://8.8.8.8:6379/", "http://8.8.8.8/",
    "file:///etc/passwd", "gopher://127.0.0.1/", "data:text/plain,x", "ftp://127.0.0.1/", "ws://127.0.0.1/", "javascript:alert(1)", "https:\\\\127.0.0.1\\", "https://127.0.0.1\\@public.test/", "http:127.0.0.1", "https:/127.0.0.1/",
  ];

  test(`none of ${SPELLINGS.length} spellings of a private or special place is reached`, async () => {
    expect(SPELLINGS.length).toBeGreaterThanOrEqual(60);
    const guarded = transport(never);
    for (const spelling of SPELLINGS) {
      if (!URL.canParse(spelling)) continue;
      await expect(send(spelling, {}, {}, guarded), spelling).rejects.toMatchObject({ code: "RUN_EGRESS" });
    }
    expect(seen).toEqual([]);
  });

  test("every connection is checked by the address it is made to: a name that changes its mind gains nothing", async () => {
    handle = (_request, response) => { response.writeHead(200, { connection: "close" }).end("ok"); };
    const answers = ["127.0.0.1", "169.254.169.254", "127.0.0.1"];
    const lookup: Lookup = (_host, _options, done) => { done(null, [{ address: answers.shift() ?? "0.0.0.0", family: 4 }]); };
    const rebinding = transport({ allowPrivate: true, lookup });
    const url = `http://rebind.test:${port}/`;
    expect(text((await send(url, {}, {}, rebinding)).bytes)).toBe("ok");
    await expect(send(url, {}, {}, rebinding)).rejects.toMatchObject({ code: "RUN_EGRESS" });
    expect(text((await send(url, {}, {}, rebinding)).bytes)).toBe("ok");
    expect(seen).toHaveLength(2);
  });

  test("of several addresses of a name only the allowed ones are tried", async () => {
    handle = (_request, response) => { response.end("ok"); };
    const lookup: Lookup = (_host, _options, done) => { done(null, [{ address: "169.254.169.254", family: 4 }, { address: "127.0.0.1", family: 4 }]); };
    expect(text((await send(`http://two.test:${port}/`, {}, {}, transport({ allowPrivate: true, lookup }))).bytes)).toBe("ok");
  });

  test("a private address is reached where the operator allows it by name, and only there", async () => {
    handle = (_request, response) => { response.end("ok"); };
    expect(text((await send("/", {}, {}, transport({ allowPrivate: [`127.0.0.1:${port}`] }))).bytes)).toBe("ok");
    expect(text((await send(`http://localhost:${port}/`, {}, {}, transport({ allowPrivate: ["localhost"] }))).bytes)).toBe("ok");
    await expect(send("/", {}, {}, transport({ allowPrivate: ["localhost", `127.0.0.1:${port + 1}`] }))).rejects.toMatchObject({ code: "RUN_EGRESS" });
  });

  test("allowing private addresses allows neither cloud metadata nor public hosts over http", async () => {
    const all = transport({ allowPrivate: true });
    for (const url of ["http://169.254.169.254/", "http://[fe80::1]/", "http://0.0.0.0/", "http://8.8.8.8/"]) await expect(send(url, {}, {}, all), url).rejects.toMatchObject({ code: "RUN_EGRESS" });
  });

  test("a redirect is checked like the first address", async () => {
    handle = (_request, response) => { response.writeHead(302, { location: "http://169.254.169.254/" }).end(); };
    await expect(send("/")).rejects.toMatchObject({ code: "RUN_REDIRECT" });
  });

  test("variables of the environment do not put a proxy between", async () => {
    handle = (_request, response) => { response.end("direct"); };
    process.env["HTTP_PROXY"] = process.env["HTTPS_PROXY"] = "http://127.0.0.1:1/";
    try {
      expect(text((await send("/")).bytes)).toBe("direct");
    } finally {
      delete process.env["HTTP_PROXY"];
      delete process.env["HTTPS_PROXY"];
    }
  });
});

/** Of localhost, signed by itself, good for a hundred years; made for this test and used nowhere else. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUS2HjYkrAeZKM0aVtPf+mcceHMPswCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTEyNTEyMloYDzIxMjYxMDI4
MTI1MTIyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASbySS14Lt0d3gWCyrHqdteukJtamUOLtAxzcIHK6ivvF6msD8W+oRh
0bhuWt2Tg2w+PuFcfLTFz1oSfMAdLWLyo2kwZzAdBgNVHQ4EFgQUKM7ze2wP2yGi
2ilBTlD7L4ulITswHwYDVR0jBBgwFoAUKM7ze2wP2yGi2ilBTlD7L4ulITswDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SAAwRQIgXYIAMP4u4JZy+Pc/8xJy3GREc3xiV/6ZBVq4zFPdl0cCIQD7R3TcD0r5
eMK+txQ6lPG4mOmCEigz2Fkh3bP8M3FEQA==
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgV7clCXANPOVf+9El
ZHRHmgN66HF35KMFNJiSChs0EUOhRANCAASbySS14Lt0d3gWCyrHqdteukJtamUO
LtAxzcIHK6ivvF6msD8W+oRh0bhuWt2Tg2w+PuFcfLTFz1oSfMAdLWLy
-----END PRIVATE KEY-----
`;

test("a certificate that nobody vouches for is refused for good, and taken where its authority is given; the name must fit", async () => {
  const tls = createTlsServer({ cert: CERTIFICATE, key: KEY }, (_request, response) => { response.end("ok"); });
  await new Promise<void>((done) => { tls.listen(0, "127.0.0.1", done); });
  const at = (host: string) => `https://${host}:${(tls.address() as AddressInfo).port}/`;
  await expect(send(at("localhost"))).rejects.toMatchObject({ code: "RUN_NETWORK", params: { permanent: true, detail: expect.stringContaining("known authority") } });
  expect(text((await send(at("localhost"), {}, {}, transport({ allowPrivate: true, ca: CERTIFICATE }))).bytes)).toBe("ok");
  await expect(send(at("127.0.0.1"), {}, {}, transport({ allowPrivate: true, ca: CERTIFICATE }))).rejects.toMatchObject({ code: "RUN_NETWORK", params: { permanent: true, detail: expect.stringContaining("another host") } });
  tls.closeAllConnections();
  tls.close();
});

describe("failures", () => {
  test("a refused connection and a name that does not exist are told apart, and nothing of the query or a header is repeated", async () => {
    const gone = createServer();
    await new Promise<void>((done) => { gone.listen(0, "127.0.0.1", done); });
    const closed = (gone.address() as AddressInfo).port;
    await new Promise((done) => { gone.close(done); });
    const refused: unknown = await send(`http://127.0.0.1:${closed}/?key=canary`, {}, { headers: new Headers({ authorization: "canary" }) }).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code: "RUN_NETWORK" });
    expect((refused as Error).message).toContain("refused the connection");
    expect(JSON.stringify([refused, (refused as Error).message, String((refused as Error).cause)])).not.toContain("canary");
    const lookup: Lookup = (_host, _options, done) => { done(Object.assign(new Error("no"), { code: "ENOTFOUND" }), []); };
    await expect(send("https://none.test/", {}, {}, transport({ lookup }))).rejects.toMatchObject({ code: "RUN_NETWORK", params: { detail: expect.stringContaining("does not exist") } });
  });
});
