import type { GreenhouseData, GreenhouseRecord } from "../providers/greenhouse.ts";
import { makePerson, mobile } from "./people.ts";
import type { Random } from "./random.ts";
import { DIVISIONS, JOB_TITLES, TOWNS } from "./words.ts";

const DAY = 86_400_000;
const STAGES = [{ id: 62_821, name: "Application Review" }, { id: 62_822, name: "Phone Screen" }, { id: 62_823, name: "Face to Face" }, { id: 62_824, name: "Offer" }] as const;
const SITE_ADMIN = 92_120;
const RECRUITER = 81_111;

export function makeGreenhouse(access: { clientId: string; clientSecret: string }, counts: { jobs: number; candidates: number }, begunAt: number, random: Random): GreenhouseData {
  const jobs = Array.from({ length: counts.jobs }, (_, index) => makeJob(6_400 + index * 3, index, begunAt, random));
  const candidates = Array.from({ length: counts.candidates }, (_, index) => makeCandidate(978_000 + index * 7, index, begunAt - random.whole(3, 500) * DAY, random));
  const applications = candidates.map((candidate, index) => makeApplication(985_300 + index * 11, candidate.id, random.pick(jobs.filter((job) => !job.is_template)).id, begunAt - random.whole(2, 400) * DAY, random));
  return {
    ...access,
    users: { [SITE_ADMIN]: { siteAdmin: true }, [RECRUITER]: { siteAdmin: false } },
    scopes: ["jobs", "candidates", "applications", "users", "job_interview_stages", "notes"],
    resources: {
      jobs: { times: ["created_at", "updated_at", "opened_at", "closed_at"], filters: { status: "status" }, records: jobs },
      candidates: { times: ["created_at", "updated_at", "last_activity_at"], filters: {}, records: candidates },
      applications: { times: ["created_at", "updated_at", "last_activity_at"], filters: { status: "status", candidate_ids: "candidate_id", job_ids: "job_id" }, records: applications },
      users: {
        times: ["created_at", "updated_at"], filters: {},
        records: [{ id: SITE_ADMIN, name: "Greta Admin", site_admin: true }, { id: RECRUITER, name: "Ravi Recruiter", site_admin: false }]
          .map((user) => ({ ...user, deactivated: false, created_at: instant(begunAt - 900 * DAY), updated_at: instant(begunAt - 30 * DAY) })),
      },
      job_interview_stages: { times: ["created_at", "updated_at"], filters: {}, records: STAGES.map((stage) => ({ ...stage, created_at: instant(begunAt - 900 * DAY), updated_at: instant(begunAt - 800 * DAY) })) },
      scorecards: { times: ["created_at", "updated_at"], filters: {}, records: [] },
    },
  };
}

/** Ten applications move a stage, three people write in, one job closes. */
export function advanceGreenhouse(data: GreenhouseData, at: number, random: Random): void {
  const { jobs, candidates, applications } = data.resources as { [name: string]: { records: GreenhouseRecord[] } } as Record<"jobs" | "candidates" | "applications", { records: GreenhouseRecord[] }>;
  const now = instant(at);
  const moved = new Set(random.shuffle(applications.records.filter((one) => one.status === "in_process")).slice(0, 10).map((one) => one.id));
  applications.records = applications.records.map((one) => moved.has(one.id) ? { ...one, job_interview_stage_id: nextStage(one.job_interview_stage_id as number), updated_at: now, last_activity_at: now } : one);

  const open = jobs.records.filter((job) => job.status === "open" && !job.is_template);
  for (let count = 0; count < 3; count += 1) {
    const candidate = makeCandidate(Math.max(...candidates.records.map((one) => one.id)) + 7, candidates.records.length, at, random);
    candidates.records.push({ ...candidate, updated_at: now, last_activity_at: now });
    const application = makeApplication(Math.max(...applications.records.map((one) => one.id)) + 11, candidate.id, random.pick(open).id, at, random);
    applications.records.push({ ...application, status: "in_process", rejected_at: null, updated_at: now, last_activity_at: now });
  }
  // The last open job stays open: newcomers need one.
  if (open.length > 1) {
    const closing = random.pick(open);
    jobs.records = jobs.records.map((job) => job === closing ? { ...job, status: "closed", closed_at: now, updated_at: now } : job);
  }
}

function makeJob(id: number, index: number, begunAt: number, random: Random): GreenhouseRecord {
  const openedAt = begunAt - random.whole(30, 500) * DAY;
  const closed = index % 4 === 3;
  const template = index % 20 === 19;
  const closedAt = closed ? openedAt + random.whole(5, 25) * DAY : undefined;
  return {
    id, name: `${random.pick(JOB_TITLES)}${template ? " (template)" : `, ${random.pick(TOWNS).town}`}`, requisition_id: random.chance(0.15) ? null : `NW-${String(index + 1).padStart(3, "0")}`,
    notes: null, confidential: index % 13 === 0, is_template: template, status: template ? "draft" : closed ? "closed" : "open",
    department_id: 25_900 + index % 5, office_ids: [47_000 + index % 3], custom_fields: { division: random.pick(DIVISIONS) },
    created_at: instant(openedAt - DAY), opened_at: template ? null : instant(openedAt), closed_at: closedAt === undefined ? null : instant(closedAt), updated_at: instant(closedAt ?? openedAt),
  };
}

function makeCandidate(id: number, index: number, at: number, random: Random): GreenhouseRecord {
  const person = makePerson(index, random);
  const addresses = [{ value: `${person.mailbox}@mail.example`, type: "personal" }, { value: `${person.mailbox}@work.example`, type: "work" }];
  return {
    id, first_name: person.first, last_name: person.last, company: random.chance(0.4) ? null : random.pick(["Harbour Care Ltd", "Pennine Digital Ltd", "Rowan Homes plc"]),
    title: random.chance(0.4) ? null : random.pick(JOB_TITLES), private: false, can_email: true,
    email_addresses: addresses.slice(0, random.whole(1, 2)), phone_numbers: random.chance(0.3) ? [] : [{ value: mobile(random), type: "mobile" }],
    addresses: [], website_addresses: [], social_media_addresses: [], custom_fields: { graduation_year: String(random.whole(1995, 2026)) },
    created_at: instant(at - DAY), updated_at: instant(at), last_activity_at: instant(at),
  };
}

function makeApplication(id: number, candidate: number, job: number, at: number, random: Random): GreenhouseRecord {
  const status = random.pick(["in_process", "in_process", "in_process", "rejected", "hired"]);
  return {
    id, candidate_id: candidate, job_id: job, job_interview_stage_id: status === "hired" ? STAGES[3].id : random.pick(STAGES).id, status, prospect: false, source_id: 1_870 + id % 4,
    applied_at: instant(at - 20 * DAY), created_at: instant(at - 20 * DAY), rejected_at: status === "rejected" ? instant(at) : null, updated_at: instant(at), last_activity_at: instant(at),
  };
}

function nextStage(id: number): number {
  const at = STAGES.findIndex((stage) => stage.id === id);
  return STAGES[(at + 1) % STAGES.length]!.id;
}

const instant = (milliseconds: number): string => new Date(milliseconds).toISOString();
