import type { Shape } from "../syntax/index.ts";
import type { Type } from "./type.ts";

/** What is known of a part: it has a value, one that is not null, or one that is true. */
export type Fact = "present" | "not_null" | "true";

/** Where an expression stands: what `$`, `$$` and the variables are there. Never changed; narrowing makes another one. */
export class Env {
  readonly context: Type;
  readonly root: Type;
  /** The context is the root itself, so what is learnt of one is learnt of the other. */
  readonly contextIsRoot: boolean;
  /** It is evaluated once for each item of a list. */
  readonly inLoop: boolean;
  /** Shapes of parts that are no paths and are known to have a value here: `emails[type = "work"]` after it was asked. */
  readonly facts: ReadonlyMap<Shape, Fact>;
  private readonly scope: Scope;

  constructor(context: Type, root: Type, contextIsRoot: boolean, inLoop: boolean, scope: Scope, facts: Env["facts"] = new Map()) {
    this.facts = facts;
    this.context = context;
    this.root = root;
    this.contextIsRoot = contextIsRoot;
    this.inLoop = inLoop;
    this.scope = scope;
  }

  static of(source: Type, variables: Iterable<readonly [string, Type]>): Env {
    return new Env(source, source, true, false, { variables: new Map(variables) });
  }

  /** A change of `contextIsRoot` is a step to another context, where nothing is known yet. */
  with(changes: { context?: Type; root?: Type; contextIsRoot?: boolean; inLoop?: boolean; variables?: Iterable<readonly [string, Type]>; facts?: Env["facts"] }): Env {
    const scope = changes.variables ? { variables: new Map(changes.variables), parent: this.scope } : this.scope;
    const facts = changes.facts ?? (changes.contextIsRoot === undefined ? this.facts : new Map());
    return new Env(changes.context ?? this.context, changes.root ?? this.root, changes.contextIsRoot ?? this.contextIsRoot, changes.inLoop ?? this.inLoop, scope, facts);
  }

  lookup(name: string): Type | undefined {
    for (let scope: Scope | undefined = this.scope; scope; scope = scope.parent) {
      const type = scope.variables.get(name);
      if (type) return type;
    }
    return undefined;
  }

  /** `:=` in the scope that is open here. */
  bind(name: string, type: Type): void {
    this.scope.variables.set(name, type);
  }
}

interface Scope {
  readonly variables: Map<string, Type>;
  readonly parent?: Scope;
}
