/** Compiles what a plan says as text: expressions, templates, and YAML values whose strings are one or the other. */
import { registry } from "../components/registry.gen.ts";
import type { BuildContext, Decoder, Limiter, ErrorRule, Variables } from "../components/kinds.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import { compileExpression, compileTemplate, type CompiledExpression, type CompiledTemplate, type TemplateSink } from "../expression/index.ts";
import type { ComponentPlan, ErrorRulePlan, LimitPlan, Value } from "../plan/types.ts";

export function buildContext(where: string): BuildContext {
  return {
    where,
    compile: (expression, field) => located(compileAt(expression, `${where}.${field}`), `${where}.${field}`),
    template: (text, sink, field) => templateAt(text, sink, `${where}.${field}`),
    value: (value, sink, field) => compileValue(value, sink, `${where}.${field}`),
  };
}

/** @throws PlugboardError MANIFEST_EXPRESSION; `validate` finds it earlier and with its position. */
export function compileAt(expression: string, where: string): CompiledExpression {
  try {
    return compileExpression(expression);
  } catch (thrown) {
    throw new PlugboardError("MANIFEST_EXPRESSION", { detail: `${where}: ${(thrown as Error).message}` }, { cause: thrown });
  }
}

/** The same expression, whose failures say where it stands: it costs the request it belongs to. */
function located(expression: CompiledExpression, where: string): CompiledExpression {
  const failed = (thrown: unknown): never => {
    throw new PlugboardError("RUN_REQUEST", { where, detail: (thrown as Error).message, suggestion: "" }, { cause: thrown });
  };
  return {
    ...expression,
    evaluate(input, bindings) {
      try {
        const value = expression.evaluate(input, bindings);
        return value instanceof Promise ? value.catch(failed) : value;
      } catch (thrown) {
        return failed(thrown);
      }
    },
  };
}

/** @throws PlugboardError MANIFEST_TEMPLATE */
export function templateAt(text: string, sink: TemplateSink, where: string): CompiledTemplate {
  try {
    return compileTemplate(text, sink);
  } catch (thrown) {
    throw new PlugboardError("MANIFEST_TEMPLATE", { detail: `${where}: ${(thrown as Error).message}` }, { cause: thrown });
  }
}

type Render = (variables: Variables) => unknown;

/** A member whose value is absent is left out, of maps and of lists. Keys may be templates too: computed parameter names. */
export function compileValue(value: Value, sink: TemplateSink, where: string): Render {
  if (typeof value === "string") return compileText(value, sink, where);
  if (Array.isArray(value)) {
    const items = (value as readonly Value[]).map((item, index) => compileValue(item, sink, `${where}[${index}]`));
    return async (variables) => {
      const list: unknown[] = [];
      for (const item of items) {
        const rendered = await item(variables);
        if (rendered !== undefined) list.push(rendered);
      }
      return list;
    };
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value as Readonly<Record<string, Value>>).map(([name, member]) => ({ name: templateAt(name, "text", where), render: compileValue(member, sink, `${where}.${name}`) }));
    return async (variables) => {
      const map: Record<string, unknown> = {};
      for (const { name, render } of members) {
        const key = name.render(variables);
        const rendered = key === undefined ? undefined : await render(variables);
        if (rendered !== undefined) map[key!] = rendered;
      }
      return map;
    };
  }
  return () => value;
}

function compileText(text: string, sink: TemplateSink, where: string): Render {
  if (text.startsWith("==")) return () => text.slice(1);
  if (text.startsWith("=")) {
    const expression = compileAt(text.slice(1), where);
    return (variables) => expression.evaluate(variables, variables);
  }
  const template = templateAt(text, sink, where);
  return (variables) => template.render(variables);
}

type Kind = "auth" | "cursor" | "decoder" | "pagination" | "verifier";
type Built<K extends Kind> = ReturnType<(typeof registry)[K][keyof (typeof registry)[K]] extends { build: infer B extends (...args: never[]) => unknown } ? B : never>;

/** @throws PlugboardError MANIFEST_NOT_RUNNING_YET for a type without a file in engine/components. */
export function buildComponent<K extends Kind>(kind: K, plan: ComponentPlan, where: string): Built<K> {
  const definition = (registry[kind] as Readonly<Record<string, { build(spec: ComponentPlan, context: BuildContext): unknown }>>)[plan.type];
  if (definition === undefined) {
    throw new PlugboardError("MANIFEST_NOT_RUNNING_YET", { feature: `${kind}: ${plan.type}`, suggestion: `Use one of: ${Object.keys(registry[kind]).join(", ")}.` });
  }
  return definition.build(plan, buildContext(where)) as Built<K>;
}

/** The decoder of a request; JSON where it names none. */
export const buildDecoder = (plan: ComponentPlan | undefined, where: string): Decoder => buildComponent("decoder", plan ?? { type: "json" }, where);

export const buildLimiter = (plan: LimitPlan, where: string): Limiter => registry.limiter.bucket.build(plan, buildContext(where));

export function buildErrorRule(plan: ErrorRulePlan, where: string): ErrorRule {
  const definition = registry.error_rule[plan.do];
  if (definition === undefined) {
    throw new PlugboardError("MANIFEST_NOT_RUNNING_YET", { feature: `do: ${plan.do}`, suggestion: `Use one of: ${Object.keys(registry.error_rule).join(", ")}.` });
  }
  return definition.build(plan, buildContext(where));
}
