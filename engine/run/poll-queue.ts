/**
 * Asks a queue until it is empty. What one answer holds is committed before it is acknowledged: killed between the two, it is
 * delivered again, with the same ids. Only a worker calls this; whoever previews or tests reads nothing destructively.
 */
import { holds } from "../components/shared/answer-variables.ts";
import type { Answer, Pagination, Variables } from "../components/kinds.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { PollPlan, QueuePlan } from "../plan/types.ts";
import { buildComponent, compileAt } from "./build-context.ts";
import { compileCall, type Call } from "./exchange.ts";
import { compileFeed, type FeedItem, type SeenRequest } from "./feed.ts";
import { requestsAt, whatToDo, type ConnectionAt, type Failure, type OnePorts } from "./one-request.ts";

export type Polled =
  /** `from`: where the next poll begins, of a queue with a cursor. */
  | { readonly is: "done"; readonly answers: number; readonly items: number; readonly from?: string }
  | ({ readonly answers: number; readonly items: number } & Exclude<ReturnType<typeof whatToDo>, never>);

export interface PollOptions {
  /** Where the last complete poll ended (ISO instant). */
  readonly from?: string;
  /** Commits what one answer brought. Throws: it is not acknowledged. */
  commit(seen: SeenRequest, items: readonly FeedItem[]): Promise<void>;
  /** Kill points of the fault rig. */
  readonly probe?: (point: "queue_answered" | "queue_committed" | "queue_acknowledged") => void | Promise<void>;
}

/** Of one poll: the rest is the next one's. */
const MOST_ANSWERS = 200;

export async function pollQueue(ports: OnePorts, at: ConnectionAt, name: string, options: PollOptions): Promise<Polled> {
  const plan = at.connector.queues?.[name];
  if (plan === undefined) throw new PlugboardError("EVENT_NO_FEED", { connector: at.connector.id, feed: name });
  const where = `queues.${name}`;
  const requests = requestsAt(at, ports, where);
  const call = compileCall(plan.request, at.connector, requests.http, where);
  const feed = compileFeed(plan, where);
  const pagination: Pagination | undefined = plan.pagination === undefined ? undefined : buildComponent("pagination", plan.pagination, `${where}.pagination`);
  const cursor = plan.cursor === undefined ? undefined : buildComponent("cursor", { ...plan.cursor, type: plan.cursor.type ?? "datetime" }, `${where}.cursor`);
  const after = Object.entries(plan.after).map(([step, each]) => compileAfter(step, each, at, requests.http, where));
  const base: Variables = { ...requests.variables, with: plan.with };
  const window = await cursor?.window(options.from, ports.clock.now(), base);
  let token = pagination?.first();
  const total = { answers: 0, items: 0 };

  while (total.answers < MOST_ANSWERS && !at.signal.aborted) {
    const variables: Variables = { ...base, ...(token === undefined ? {} : { page: pagination!.page(token) }), ...(window === undefined ? {} : { cursor: cursor!.print(window) }) };
    const sent = await requests.send(call, variables);
    if (sent.is === "failed") return { ...total, ...whatToDo(sent) };
    if (sent.empty || sent.ignored !== undefined) break;
    const { answer } = sent;
    const seen = seenOf(answer, plan);
    const items = await feed.split(seen, requests.visible(variables));
    await options.probe?.("queue_answered");
    if (items.length > 0) await options.commit(seen, items);
    total.answers += 1;
    total.items += items.length;
    await options.probe?.("queue_committed");
    const response = { status: answer.status, headers: answer.headers, body: answer.body };
    for (const step of after) {
      const failed = await step({ ...variables, response }, async (each, all) => requests.send(each, all));
      if (failed !== undefined) return { ...total, ...whatToDo(failed) };
    }
    await options.probe?.("queue_acknowledged");
    if (pagination !== undefined) {
      token = await pagination.next({ token: token!, answer, records: items, variables: requests.visible(variables) });
      if (token === undefined) break;
    } else if (after.length === 0 || items.length === 0) break;          // without an acknowledgement it would give the same again
  }
  return { is: "done", ...total, ...(window === undefined ? {} : { from: window.to }) };
}

type Send = (call: Call, variables: Variables) => Promise<{ readonly is: "answered"; readonly answer: Answer } | Failure>;

/** A step after the commit; with `until`, asked again until it holds. Gives what failed. */
function compileAfter(step: string, plan: PollPlan, at: ConnectionAt, http: Parameters<typeof compileCall>[2], where: string): (variables: Variables, send: Send) => Promise<Failure | undefined> {
  const call = compileCall(plan.request, at.connector, http, `${where}.after.${step}`);
  const until = plan.until === undefined ? undefined : compileAt(plan.until, `${where}.after.${step}.until`);
  return async (variables, send) => {
    const end = Date.now() + (plan.within_seconds ?? 60) * 1000;
    for (;;) {
      const sent = await send(call, variables);
      if (sent.is === "failed") return sent;
      const { status, headers, body } = sent.answer;
      if (until === undefined || holds(await until.evaluate({ ...variables, status, headers, body }, variables)) || Date.now() > end) return undefined;
      await new Promise((resolve) => { setTimeout(resolve, (plan.every_seconds ?? 5) * 1000); });
    }
  };
}

const seenOf = (answer: Answer, { request }: QueuePlan): SeenRequest => ({
  method: request.method, url: answer.url, headers: answer.headers, body: answer.body, text: () => (answer.body === undefined ? "" : JSON.stringify(answer.body)),
});
