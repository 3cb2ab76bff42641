import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startProvider, type GreenhouseData, type GreenhouseOptions } from "../../../../server/demo/providers/greenhouse.ts";
import type { StandIn } from "../../../../server/demo/providers/kernel.ts";

const records = Array.from({ length: 1_234 }, (_, index) => ({
  id: 100 + index * 3, candidate_id: index % 10, status: index % 3 ? "in_process" : "rejected",
  created_at: "2026-01-01T00:00:00.000Z", updated_at: new Date(Date.parse("2026-03-01T00:00:00Z") + ((index * 7_919) % 1_234) * 60_000).toISOString(),
}));
const data: GreenhouseData = {
  clientId: "id", clientSecret: "secret", users: { 1: { siteAdmin: true }, 2: { siteAdmin: false } }, scopes: ["applications"],
  resources: { applications: { times: ["created_at", "updated_at"], filters: { status: "status", candidate_ids: "candidate_id" }, records }, offers: { times: [], filters: {}, records: [] } },
};
let provider: StandIn;
let token: string;
beforeAll(async () => {
  provider = await startProvider({ data, limit: 10_000 });
  token = await tokenOf(provider);
});
afterAll(() => provider.close());

const askToken = (at: StandIn, form: Record<string, string>, basic = "id:secret", type = "application/x-www-form-urlencoded") =>
  fetch(`${at.url}/token`, { method: "POST", headers: { authorization: `Basic ${btoa(basic)}`, "content-type": type }, body: new URLSearchParams(form).toString() });
const tokenOf = async (at: StandIn, sub = "1") => ((await (await askToken(at, { grant_type: "client_credentials", sub })).json()) as { access_token: string }).access_token;
const get = (path: string, bearer = token, at = provider) => fetch(`${at.url}/v3/${path}`, { headers: { authorization: `Bearer ${bearer}` } });
const ids = async (query: Record<string, string>) => ((await (await get(`applications?${new URLSearchParams({ per_page: "500", ...query })}`)).json()) as { id: number }[]).map(({ id }) => id);
const nextOf = (response: Response) => /^<([^>]+)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];

describe("token", () => {
  test("client credentials with Basic and a user give a token that says when it ends", async () => {
    const response = await askToken(provider, { grant_type: "client_credentials", sub: "1" });
    expect([response.status, await response.json()]).toMatchObject([200, { token_type: "Bearer", expires_in: 3_600 }]);
  });

  test("a wrong secret is 401; another grant, a missing or unknown user, or a JSON body 400", async () => {
    expect((await askToken(provider, { grant_type: "client_credentials", sub: "1" }, "id:wrong")).status).toBe(401);
    for (const form of [{ grant_type: "password", sub: "1" }, { grant_type: "client_credentials" }, { grant_type: "client_credentials", sub: "99" }] as Record<string, string>[]) expect((await askToken(provider, form)).status).toBe(400);
    expect((await askToken(provider, { grant_type: "client_credentials", sub: "1" }, undefined, "application/json")).status).toBe(400);
  });

  test("a token ends when it said it would", async () => {
    let now = Date.now();
    const short = await startProvider({ data, tokenSeconds: 60, now: () => now });
    const bearer = await tokenOf(short);
    expect((await get("applications", bearer, short)).status).toBe(200);
    now += 60_000;
    expect((await get("applications", bearer, short)).status).toBe(401);
    await short.close();
  });

  test("without a token, or with the client's own credential, it is 401", async () => {
    expect((await fetch(`${provider.url}/v3/applications`)).status).toBe(401);
    expect((await fetch(`${provider.url}/v3/applications`, { headers: { authorization: `Basic ${btoa("id:secret")}` } })).status).toBe(401);
  });

  test("a user who is no site admin may not list, nor a client what its scopes lack", async () => {
    expect((await get("applications", await tokenOf(provider, "2"))).status).toBe(403);
    expect((await get("offers")).status).toBe(403);
    expect((await get("unicorns")).status).toBe(404);
  });
});

describe("lists", () => {
  test("following the Link header gives every record once, newest id first, as a bare array", async () => {
    const seen: number[] = [];
    let next: string | undefined = `${provider.url}/v3/applications?per_page=500`;
    let pages = 0;
    while (next) {
      const response: Response = await fetch(next, { headers: { authorization: `Bearer ${token}` } });
      const page = await response.json() as { id: number }[];
      expect(Array.isArray(page)).toBe(true);
      seen.push(...page.map(({ id }) => id));
      next = nextOf(response);
      pages += 1;
    }
    expect(pages).toBe(3);
    expect(seen).toEqual(records.map(({ id }) => id).reverse());
  });

  test("a page that is exactly full and the last has no Link", async () => {
    const response = await get("applications?per_page=2&ids=100,103");
    expect([((await response.json()) as unknown[]).length, nextOf(response)]).toEqual([2, undefined]);
  });

  test("a cursor keeps the first request's filter and must be the only parameter", async () => {
    const next = nextOf(await get("applications?per_page=50&status=rejected"))!;
    const cursor = new URL(next).searchParams.get("cursor")!;
    const page = await (await get(`applications?cursor=${cursor}`)).json() as { status: string }[];
    expect([page.length, new Set(page.map(({ status }) => status))]).toEqual([50, new Set(["rejected"])]);
    for (const extra of ["per_page=50", "status=rejected", "updated_at=gte%7C2026-01-01T00:00:00Z"]) expect((await get(`applications?cursor=${cursor}&${extra}`)).status, extra).toBe(422);
    expect((await get("applications?cursor=made-up")).status).toBe(422);
  });

  test("times are filtered by operator|time, also as a range", async () => {
    const [from, to] = ["2026-03-01T05:00:00Z", "2026-03-01T06:00:00Z"];
    const between = (low: (at: number) => boolean, high: (at: number) => boolean) => records.filter(({ updated_at }) => low(Date.parse(updated_at)) && high(Date.parse(updated_at))).map(({ id }) => id).reverse();
    expect(await ids({ updated_at: `gte|${from}|lt|${to}` })).toEqual(between((at) => at >= Date.parse(from), (at) => at < Date.parse(to)));
    expect(await ids({ updated_at: `gt|${from}|lte|${to}` })).toEqual(between((at) => at > Date.parse(from), (at) => at <= Date.parse(to)));
  });

  test("parents, states and ids narrow a list", async () => {
    expect(await ids({ candidate_ids: "1,2", status: "rejected" })).toEqual(records.filter(({ candidate_id, status }) => [1, 2].includes(candidate_id) && status === "rejected").map(({ id }) => id).reverse());
    expect(await ids({ ids: "103" })).toEqual([103]);
  });

  test.each(["per_page=501", "per_page=0", "per_page=ten", "page=2", "updated_after=2026-01-01T00:00:00Z", "updated_at=2026-01-01T00:00:00Z", "updated_at=gte%7C", "updated_at=since%7C2026-01-01", "rejected_at=gte%7C2026-01-01T00:00:00Z"])("refuses %s", async (query) => {
    const response = await get(`applications?${query}`);
    expect([response.status, await response.json()]).toMatchObject([422, { errors: [{ field: query.split("=")[0] }] }]);
  });

  test("there is no reading by id in the path", async () => {
    expect((await get("applications/100")).status).toBe(404);
  });
});

test("every answer counts down, and the one too many says when to come back", async () => {
  let now = 1_800_000_000_500;
  const options: GreenhouseOptions = { data, limit: 2, now: () => now };
  const limited = await startProvider(options);
  const bearer = await tokenOf(limited);
  const first = await get("applications", bearer, limited);
  expect(first.headers.get("x-ratelimit-remaining")).toBe("1");
  now += 1_000;
  await get("applications", bearer, limited);
  const refused = await get("applications", bearer, limited);
  expect([refused.status, refused.headers.get("retry-after"), refused.headers.get("x-ratelimit-reset")]).toEqual([429, "29", String(Math.ceil((now + 29_000) / 1_000))]);
  now += 29_000;
  expect((await get("applications", bearer, limited)).status).toBe(200);
  await limited.close();
});
