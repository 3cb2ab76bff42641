import { expect, test } from "vitest";
import { compileExpression } from "../../../engine/expression/index.ts";
import { selectRecords } from "../../../engine/run/select-records.ts";

const select = (body: unknown, records: string) => selectRecords({ status: 200, headers: {}, body, bytes: 0, url: "" }, compileExpression(records), {}, "GET /x");

test("a path through a list that is there and empty finds no records; one through nothing is a wrong path", async () => {
  expect(await select({ rows: [] }, "rows.doc")).toEqual({ records: [], unproven: false });
  expect(await select({ rows: [{ doc: { id: 1 } }] }, "rows.doc")).toMatchObject({ records: [{ id: 1 }] });
  await expect(select({ row: [] }, "rows.doc")).rejects.toMatchObject({ code: "RUN_SHAPE" });
  await expect(select({ rows: [{ dok: 1 }] }, "rows.doc")).rejects.toMatchObject({ code: "RUN_SHAPE" });
});
