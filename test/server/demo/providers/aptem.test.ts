import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startProvider, type AptemData } from "../../../../server/demo/providers/aptem.ts";
import type { StandIn } from "../../../../server/demo/providers/kernel.ts";

const COLUMNS = { Id: "Int32", Name: "String", Score: "Decimal", UpdatedDate: "DateTimeOffset" } as const;
const row = (id: number, updated: string | null, name: string | null = `N${id}`, score: number | null = id / 2) => ({ Id: id, Name: name, Score: score, UpdatedDate: updated });

// 2,500 users, the later ones changed later, but every third a tie with the one before it.
const users = Array.from({ length: 2_500 }, (_, index) => row(index + 1, `2026-03-01T09:${String(Math.floor(index / 60) % 60).padStart(2, "0")}:${String((index - (index % 3)) % 60).padStart(2, "0")}.5Z`));
const data: AptemData = {
  tenants: {
    acme: {
      token: "secret", unlicensed: ["Reviews"],
      sets: {
        Users: { columns: COLUMNS, rows: users, expandable: ["Markers_Markers"] },
        Groups: { columns: COLUMNS, rows: [row(1, "2026-03-01T09:00:00.05Z"), row(2, "2026-03-01T09:00:00.0500001Z", "O'Neil"), row(3, "2026-03-01T09:00:00Z", null), row(4, null, "d", null)] },
      },
    },
  },
};
let provider: StandIn;
beforeAll(async () => { provider = await startProvider({ data }); });
afterAll(() => provider.close());

const get = (path: string, query: Record<string, string> = {}, headers: Record<string, string> = { "x-api-token": "secret" }) =>
  fetch(`${provider.url}/acme/odata/1.0/${path}?${new URLSearchParams(query)}`, { headers });
const ids = async (query: Record<string, string>, set = "Groups"): Promise<number[]> =>
  ((await (await get(set, query)).json()) as { value: { Id: number }[] }).value.map(({ Id }) => Id);
const message = async (response: Response) => ((await response.json()) as { error: { message: string } }).error.message;

describe("paging", () => {
  test("following the next links gives every row once, in the order asked for", async () => {
    const seen: number[] = [];
    let next: string | undefined = `${provider.url}/acme/odata/1.0/Users?$orderby=UpdatedDate`;
    let pages = 0;
    while (next) {
      const page = (await (await fetch(next, { headers: { "x-api-token": "secret" } })).json()) as { value: { Id: number }[]; "@odata.nextLink"?: string };
      seen.push(...page.value.map(({ Id }) => Id));
      next = page["@odata.nextLink"];
      pages += 1;
    }
    expect(pages).toBe(3);
    const time = (id: number) => users[id - 1]!.UpdatedDate!;
    expect(seen).toEqual(users.map(({ Id }) => Id).sort((a, b) => time(a).localeCompare(time(b)) || a - b));
  });

  test("$top beyond a page is given in pages and ends where it says", async () => {
    const first = (await (await get("Users", { $top: "1500" })).json()) as { value: unknown[]; "@odata.nextLink": string };
    const second = (await (await fetch(first["@odata.nextLink"], { headers: { "x-api-token": "secret" } })).json()) as { value: unknown[] };
    expect([first.value.length, second.value.length, "@odata.nextLink" in second]).toEqual([1_000, 500, false]);
  });

  test("$top and $skip cut a page out of the whole", async () => {
    expect(await ids({ $top: "3", $skip: "2497" }, "Users")).toEqual([2498, 2499, 2500]);
    expect(await ids({ $top: "3", $skip: "2500" }, "Users")).toEqual([]);
  });

  test("a row that is added before the place where a next link stands shifts nothing", async () => {
    const rows = data.tenants.acme!.sets.Groups!;
    const before = rows.rows;
    const first = (await (await get("Groups", { $orderby: "Id" }, { "x-api-token": "secret", prefer: "odata.maxpagesize=2" })).json()) as { value: { Id: number }[]; "@odata.nextLink": string };
    rows.rows = [row(0, null), ...before];
    const second = (await (await fetch(first["@odata.nextLink"], { headers: { "x-api-token": "secret" } })).json()) as { value: { Id: number }[] };
    rows.rows = before;
    expect([...first.value, ...second.value].map(({ Id }) => Id)).toEqual([1, 2, 3, 4]);
  });
});

describe("$filter", () => {
  test.each<[string, number[]]>([
    ["UpdatedDate ge 2026-03-01T09:00:00.05Z", [1, 2]],
    ["UpdatedDate gt 2026-03-01T09:00:00.05Z", [2]],
    ["UpdatedDate ge 2026-03-01T10:00:00.05+01:00", [1, 2]],
    ["UpdatedDate ge 2026-03-01T09:00:00+00:00 and UpdatedDate lt 2026-03-01T09:00:00.0500001Z", [1, 3]],
    ["Name ne null", [1, 2, 4]],
    ["Name eq null or Id eq 2", [2, 3]],
    ["Name eq 'O''Neil'", [2]],
    ["not (Id le 2)", [3, 4]],
    ["startswith(Name,'N') and Score lt 1", [1]],
    ["Score gt 0", [1, 2, 3]],
  ])("%s", async ($filter, expected) => {
    expect(await ids({ $filter })).toEqual(expected);
  });

  test.each([
    ["UpdatedDate ge '2026-03-01T09:00:00Z'", "incompatible types"],
    ["UpdatedDate ge datetime'2026-03-01T09:00:00'", "datetime"],
    ["UpdatedDate ge 2026-03-01T09:00:00", "Syntax error"],
    ["UpdatedDate gte 2026-03-01T09:00:00Z", "Syntax error"],
    ["updateddate ge 2026-03-01T09:00:00Z", "updateddate"],
    ["Id eq", "Syntax error"],
  ])("refuses %s", async ($filter, part) => {
    const response = await get("Groups", { $filter });
    expect(response.status).toBe(400);
    expect(await message(response)).toContain(part);
  });

  test("a plus sign that was not encoded is a space, and no date any more", async () => {
    const response = await fetch(`${provider.url}/acme/odata/1.0/Groups?$filter=UpdatedDate%20ge%202026-03-01T09:00:00+00:00`, { headers: { "x-api-token": "secret" } });
    expect(response.status).toBe(400);
  });
});

describe("answers", () => {
  test("$select gives only the columns asked for, and null stays null", async () => {
    const body = (await (await get("Groups", { $select: "Id,Name", $filter: "Id eq 3" })).json()) as { value: unknown };
    expect(body.value).toEqual([{ Id: 3, Name: null }]);
  });

  test("an unknown column, option or expansion is refused by name", async () => {
    for (const query of [{ $select: "Id,Nope" }, { $orderby: "Nope" }, { $wrong: "1" }, { limit: "5" }, { $expand: "Nope" }, { $top: "-1" }]) expect((await get("Groups", query)).status, JSON.stringify(query)).toBe(400);
  });

  test("the token is asked for everywhere but at $metadata", async () => {
    expect((await get("Users", {}, {})).status).toBe(401);
    expect((await get("Users", {}, { "x-api-token": "wrong" })).status).toBe(401);
    expect((await get("Users", {}, { authorization: "Bearer secret" })).status).toBe(401);
    const metadata = await get("$metadata", {}, {});
    expect([metadata.status, await metadata.text()]).toEqual([200, expect.stringContaining('<Property Name="UpdatedDate" Type="Edm.DateTimeOffset"/>')]);
  });

  test("an entity that is not licensed is 403, one that does not exist 404", async () => {
    expect((await get("Reviews")).status).toBe(403);
    expect((await get("Nothing")).status).toBe(404);
    expect((await fetch(`${provider.url}/nobody/odata/1.0/Users`)).status).toBe(404);
    expect((await fetch(`${provider.url}/acme/odata/2.0/Users`)).status).toBe(404);
  });

  test("a long $select beside an $expand is 414", async () => {
    const $select = Array.from({ length: 400 }, () => "Name").join(",");
    expect((await get("Users", { $select, $top: "1" })).status).toBe(200);
    expect((await get("Users", { $select, $top: "1", $expand: "Markers_Markers" })).status).toBe(414);
  });

  test("one row is had by its key", async () => {
    expect(await (await get("Groups(2)")).json()).toMatchObject({ Id: 2, Name: "O'Neil" });
    expect((await get("Groups(99)")).status).toBe(404);
  });
});

test("the provider's clock dates its answers, and its faults replace them", async () => {
  const faulty = await startProvider({
    data, now: () => Date.parse("2031-01-01T00:00:00.900Z"),
    faults: (_, nth) => nth === 1 ? { status: 400, body: { error: { code: "", message: "Something went wrong. Try again." } } } : nth === 2 ? "reset" : nth === 3 ? "truncate" : undefined,
  });
  const ask = () => fetch(`${faulty.url}/acme/odata/1.0/Groups`, { headers: { "x-api-token": "secret" } });
  expect((await ask()).status).toBe(400);
  await expect(ask()).rejects.toThrow();
  await expect(ask().then((response) => response.text())).rejects.toThrow();
  expect((await ask()).headers.get("date")).toBe("Wed, 01 Jan 2031 00:00:00 GMT");
  expect(faulty.requests).toMatchObject({ total: 4, byRoute: { "GET /acme/odata/1.0/Groups": 4 } });
  await faulty.close();
});
