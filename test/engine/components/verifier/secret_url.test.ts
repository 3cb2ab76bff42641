import { expect, test } from "vitest";
import { incoming, NOW, verifierOf } from "./built.ts";

test("accepts what came to the address, and nothing where no connection is configured", async () => {
  expect(await verifierOf({ type: "secret_url" }).verify(incoming({ body: "{}" }), [{ config: {} }], NOW)).toEqual({ accepted: true });
  expect(await verifierOf({ type: "secret_url" }).verify(incoming({ body: "{}" }), [], NOW)).toMatchObject({ accepted: false });
});
