import type { Node } from "../reference.ts";
import { apply } from "./apply.ts";
import { builtin } from "./builtins.ts";
import type { Code, Compiler } from "./compiler.ts";
import { fail } from "./failure.ts";
import { compileSignature } from "./reference-signature.ts";
import { Fn } from "./values.ts";

/** `|pattern|update, delete|`: a function that gives a changed copy. */
export function compileTransform(node: Node, compiler: Compiler): Code {
  const [pattern, update] = [compiler.compile(node.pattern as Node), compiler.compile(node.update as Node)];
  const deletion = node.delete ? compiler.compile(node.delete as Node) : undefined;
  const signature = compileSignature("<(oa):o>");
  return (_input, frame) => new Fn("transform", 1, signature, ([value], _context, caller) => {
    if (value === undefined) return undefined;
    const clone = frame.lookup("clone") ?? builtin("clone");
    if (!(clone instanceof Fn)) throw fail("T2013", { position: node.position });
    const result = apply(clone, [value], null, caller);
    const found = pattern(result, frame);
    for (const match of found === undefined ? [] : Array.isArray(found) ? found : [found]) {
      caller.run.tick();
      const changes = update(match, frame);
      if (changes !== undefined) {
        if (typeof changes !== "object" || changes === null || Array.isArray(changes)) throw fail("T2011", { position: (node.update as Node).position, value: changes });
        for (const [name, member] of Object.entries(changes)) set(match, name, member);
      }
      const names = deletion?.(match, frame);
      if (names === undefined) continue;
      const list = Array.isArray(names) ? names : [names];
      if (!list.every((name) => typeof name === "string")) throw fail("T2012", { position: (node.delete as Node).position, value: names });
      if (typeof match === "object" && match !== null) for (const name of list) delete (match as Record<string, unknown>)[name as string];
    }
    return result;
  });
}

/** Never through a setter: `__proto__` is a name like any other. */
function set(target: unknown, name: string, value: unknown) {
  if (typeof target !== "object" || target === null) throw fail("T2014", { value: target });
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}
