import { existsSync } from "node:fs";

/**
 * The folder that holds connectors/, mappings/, presets/ and schemas/: the checkout, or the installed package, whose code
 * lies one level deeper in dist/. As a `file:` URL that ends in `/`.
 */
export const productRoot: URL = [new URL("..", import.meta.url), new URL("../..", import.meta.url)].find((root) => existsSync(new URL("package.json", root))) ?? new URL("..", import.meta.url);
