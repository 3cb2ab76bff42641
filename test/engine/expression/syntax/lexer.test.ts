import { describe, expect, test } from "vitest";
import { Lexer } from "../../../../engine/expression/syntax/lexer.ts";
import type { SyntaxProblem } from "../../../../engine/expression/syntax/index.ts";
import type { Token } from "../../../../engine/expression/syntax/token.ts";

function read(text: string, infix = false): { tokens: Token[]; problems: SyntaxProblem[] } {
  const problems: SyntaxProblem[] = [];
  const lexer = new Lexer(text, (problem) => problems.push(problem));
  const tokens: Token[] = [];
  do tokens.push(lexer.next(infix)); while (tokens.at(-1)!.token !== "end");
  return { tokens, problems };
}
const first = (text: string, infix = false): Token => read(text, infix).tokens[0]!;

describe("tokens", () => {
  test("a slash begins a regular expression where a value may start, and divides elsewhere", () => {
    expect(first("/a b/im")).toMatchObject({ token: "regex", text: "/a b/im" });
    expect(read("/a/", true).tokens.map((token) => token.text)).toEqual(["/", "a", "/", ""]);
  });

  test("a slash inside brackets or after a backslash does not end a regular expression", () => {
    expect(first("/[/](a\\/b)/ + 1").text).toBe("/[/](a\\/b)/");
  });

  test("texts are decoded, and keep their spelling", () => {
    expect(first('"\\u00e9\\n\\"\\/"')).toMatchObject({ token: "string", value: "é\n\"/", text: '"\\u00e9\\n\\"\\/"' });
    expect(first("'it\"s'").value).toBe("it\"s");
  });

  test("numbers keep their spelling", () => {
    expect(first("10.50E-1")).toMatchObject({ token: "number", value: 1.05, text: "10.50E-1" });
  });

  test("spaces and comments stand before the token they precede, and at the end before the end", () => {
    const { tokens } = read(" /* one */ a /*two*/\v");
    expect(tokens.map(({ text, trivia }) => [text, trivia.map((piece) => `${piece.trivia}:${piece.text}`)])).toEqual([
      ["a", ["space: ", "comment:/* one */", "space: "]],
      ["", ["space: ", "comment:/*two*/", "space:\v"]],
    ]);
  });

  test("words of the language are not names, and inherited words are", () => {
    expect(["and", "true", "constructor", "__proto__", "`and`", "$and"].map((word) => first(word).token)).toEqual(["operator", "value", "name", "name", "name", "variable"]);
  });
});

describe("problems of a token", () => {
  test.each([
    ['"abc', "S0101", 4, [0, 4]],
    ['"a\\qb"', "S0103", 3, [2, 4]],
    ['"\\u12"', "S0104", 2, [1, 3]],
    ["1e999", "S0102", 0, [0, 5]],
    ["`abc", "S0105", 4, [0, 4]],
    ["a /* b", "S0106", 2, [2, 6]],
    ["!a", "S0204", 1, [0, 1]],
    ["//", "S0301", 1, [0, 2]],
    ["/a(/", "S0302", 4, [0, 4]],
    ["/a**/", "P0301", 5, [0, 5]],
  ])("%s is %s at %i", (text, code, position, range) => {
    const [problem] = read(text).problems;
    expect({ code: problem?.code, position: problem?.position, range: [problem?.start, problem?.end] }).toEqual({ code, position, range });
  });

  test("after a wrong escape the text is read to its end", () => {
    expect(read('"a\\qb" & c').tokens.map((token) => token.text)).toEqual(['"a\\qb"', "&", "c", ""]);
  });
});
