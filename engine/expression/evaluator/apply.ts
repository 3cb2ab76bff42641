import { fail, locate } from "./failure.ts";
import { validated } from "./signatures.ts";
import { Fn, TailCall, type Frame } from "./values.ts";

/** Calls a function value, and after it whatever it ends in calling. `input`: the context, for arguments left out. */
export function apply(target: unknown, args: readonly unknown[], input: unknown, frame: Frame): unknown {
  let result = once(target, args, input, frame);
  while (result instanceof TailCall) {
    const { fn, args: next, position, name } = result;
    try {
      result = once(fn, next, input, frame);
    } catch (thrown) {
      throw locate(thrown, position, name);
    }
  }
  return result;
}

function once(target: unknown, args: readonly unknown[], input: unknown, frame: Frame): unknown {
  if (!(target instanceof Fn)) throw fail("T1006");
  frame.run.tick();
  return target.invoke(target.signature ? validated(target.signature, args, input) : args, input, frame);
}
