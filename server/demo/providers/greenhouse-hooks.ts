/**
 * Greenhouse's webhooks: the customer's own and a partner's. Source: the vendor's documentation of webhooks (introduction,
 * candidate, application and job events), read 2026-11. Shapes are those of v1, whatever the API's version: nested, with
 * `current_stage` and `candidate` inside the application. Signed over the very bytes, `<` and `>` escaped; no time of sending.
 */
import { createHmac, randomUUID } from "node:crypto";
import type { GreenhouseData, GreenhouseRecord } from "./greenhouse.ts";
import { createSender, type Message, type WebhookSender } from "./webhooks.ts";

export interface GreenhouseHook {
  readonly url: string;
  readonly secret: string;
  /** Of a partner: whose customer it is about stands in the payload. */
  readonly organization?: string;
}

export interface GreenhouseWebhooks extends WebhookSender {
  register(hook: GreenhouseHook): void;
  /** As configuring one does: a ping; 200, or it is disabled. */
  ping(hook: GreenhouseHook): Promise<number>;
  tell(action: string, payload: object): void;
}

export function createGreenhouseWebhooks({ copies }: { readonly copies?: number } = {}): GreenhouseWebhooks {
  const hooks: GreenhouseHook[] = [];
  const messages: Message[] = [];
  const message = ({ url, secret, organization }: GreenhouseHook, action: string, payload: object): Message => {
    const id = randomUUID();
    const body = JSON.stringify({ action, payload: organization === undefined ? payload : { ...payload, organization_id: organization } }).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
    return { url, write: () => ({ body, headers: { "greenhouse-event-id": id, signature: `sha256 ${createHmac("sha256", secret).update(body).digest("hex")}` } }) };
  };
  const sender = createSender({ ...(copies === undefined ? {} : { copies }), take: () => messages.splice(0).reverse() });
  return {
    ...sender,
    register(hook) { hooks.push(hook); },
    async ping(hook) {
      const { headers, body } = message(hook, "ping", { web_hook_id: 1, event: "ping", status: "Active" }).write(0);
      return (await fetch(hook.url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body })).status;
    },
    tell(action, payload) {
      messages.push(...hooks.map((hook) => message(hook, action, payload)));
      sender.wake();
    },
  };
}

export interface GreenhousePeople {
  /** @param fields of v3: `{ status: "rejected" }`. */
  change(resource: "candidates" | "applications" | "jobs", id: number, fields: Readonly<Record<string, unknown>>): void;
  add(resource: "candidates" | "applications" | "jobs", record: GreenhouseRecord): void;
  remove(resource: "candidates" | "applications", id: number): void;
}

/** What people do in Greenhouse, and what it then tells. */
export function greenhousePeople(data: GreenhouseData, now: () => number, tell: (action: string, payload: object) => void): GreenhousePeople {
  const of = (resource: string, id: unknown): GreenhouseRecord | undefined => data.resources[resource]?.records.find((record) => record.id === id);
  const put = (resource: string, record: GreenhouseRecord): void => {
    const into = data.resources[resource]!;
    into.records = [...into.records.filter(({ id }) => id !== record.id), record];
  };
  const candidate = (record: GreenhouseRecord | undefined): object | undefined => record && { id: record.id, first_name: record.first_name, last_name: record.last_name, title: record.title, company: record.company, is_private: record.private, email_addresses: record.email_addresses, phone_numbers: record.phone_numbers };
  const application = (record: GreenhouseRecord): object => ({
    id: record.id, status: record.status === "in_process" ? "active" : record.status, prospect: record.prospect, applied_at: record.applied_at, rejected_at: record.rejected_at, last_activity_at: record.last_activity_at,
    current_stage: of("job_interview_stages", record.job_interview_stage_id) ?? null, candidate: candidate(of("candidates", record.candidate_id)), jobs: [of("jobs", record.job_id)].filter(Boolean).map((job) => ({ id: job!.id, name: job!.name, status: job!.status })),
  });
  const told = (resource: string, record: GreenhouseRecord, action: string): void =>
    tell(action, resource === "applications" ? { application: application(record) } : resource === "candidates" ? { candidate: candidate(record) } : { job: { id: record.id, name: record.name, status: record.status } });

  return {
    change(resource, id, fields) {
      const before = of(resource, id);
      if (before === undefined) throw new Error(`no ${resource} ${id}`);
      const at = new Date(Math.max(now(), Date.parse(String(before.updated_at)) + 1)).toISOString();
      const record = { ...before, ...fields, updated_at: at, ...("last_activity_at" in before ? { last_activity_at: at } : {}) };
      put(resource, record);
      const moved = "job_interview_stage_id" in fields;
      told(resource, record, resource === "candidates" ? "update_candidate" : resource === "jobs" ? "job_updated" : moved ? "candidate_stage_change" : fields.status === "rejected" ? "reject_candidate" : fields.status === "hired" ? "hire_candidate" : "application_updated");
    },
    add(resource, record) {
      put(resource, record);
      if (resource !== "candidates") told(resource, record, resource === "jobs" ? "job_created" : "new_candidate_application");
    },
    remove(resource, id) {
      const record = of(resource, id);
      if (record === undefined) return;
      const gone = (name: string, test: (one: GreenhouseRecord) => boolean): number[] => {
        const from = data.resources[name]!;
        const ids = from.records.filter(test).map((one) => one.id);
        from.records = from.records.filter((one) => !test(one));
        return ids;
      };
      gone(resource, (one) => one.id === id);
      // A candidate's applications go with it, and nothing is told of each.
      if (resource === "candidates") tell("delete_candidate", { person: { id, first_name: record.first_name, last_name: record.last_name, deleted_application_ids: gone("applications", (one) => one.candidate_id === id) } });
      else tell("delete_application", { application: { id, candidate_id: record.candidate_id, job_id: record.job_id, rejected_at: record.rejected_at } });
    },
  };
}
