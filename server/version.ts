import { readFileSync } from "node:fs";
import { productRoot } from "./product-root.ts";

/** The version of package.json. */
export const version: string = (JSON.parse(readFileSync(new URL("package.json", productRoot), "utf8")) as { version: string }).version;
