import type { AptemData, AptemTenant } from "../providers/aptem.ts";
import type { Columns, Row } from "../providers/odata.ts";
import type { Employer } from "./employers.ts";
import { makePerson } from "./people.ts";
import type { Random } from "./random.ts";
import { DIVISIONS } from "./words.ts";

const DAY = 86_400_000;

const USERS: Columns = {
  Id: "Int32", FullName: "String", FirstName: "String", LastName: "String", Email: "String", SubscriptionStatus: "String",
  UserProgram_CurrentProgramme: "String", UserProgram_Status: "String", UserProgram_StartDate: "DateTimeOffset", UserProgram_PlannedEndDate: "DateTimeOffset",
  UserILRSummary_PlannedHours: "Int32", UserLearningPlanSummary_LearningPlanProgress: "Decimal", UserLearningPlanSummary_ExpectedLearningPlanProgress: "Decimal",
  UserLearningPlanSummary_CompletedTime: "Int32", UserEmployer_Organization: "String", UserEmployer_ManagerEmail: "String", UserPersonalDetails_OwnerId: "Int32",
  CreatedDate: "DateTimeOffset", UpdatedDate: "DateTimeOffset",
};
const ORGANIZATIONS: Columns = { Id: "Int32", Name: "String", CompanyNumber: "String", Website: "String", Phone: "String", Town: "String", Postcode: "String", CreatedDate: "DateTimeOffset", UpdatedDate: "DateTimeOffset" };
const GROUPS: Columns = { Id: "Int32", Name: "String", UpdatedDate: "DateTimeOffset" };

export interface AptemShape {
  readonly token: string;
  readonly learners: number;
  readonly staff: number;
  /** Columns are a customer's own there: some have this one. */
  readonly division: boolean;
  readonly firstId: number;
}

export function makeAptemTenant(shape: AptemShape, employers: readonly Employer[], begunAt: number, random: Random): AptemTenant {
  const columns: Columns = shape.division ? { ...USERS, UserCustom_Division: "String" } : USERS;
  const staff = Array.from({ length: shape.staff }, (_, index) => makeStaff(shape, index, begunAt, random));
  const imported = begunAt - 200 * DAY;
  const learners = Array.from({ length: shape.learners }, (_, index) => {
    const learner = makeLearner(shape.firstId + shape.staff + index, random.pick(employers), random.pick(staff).Id as number, begunAt, random);
    // One bulk import: forty records with the very same time, which no paging by time alone survives.
    const at = index >= 100 && index < 140 ? { UpdatedDate: new Date(imported).toISOString() } : {};
    return { ...learner, ...(shape.division ? { UserCustom_Division: random.chance(0.9) ? random.pick(DIVISIONS) : null } : {}), ...at };
  });
  return {
    token: shape.token,
    sets: {
      Users: { columns, rows: [...staff.map((row) => shape.division ? { ...row, UserCustom_Division: null } : row), ...learners], expandable: ["UserProgram_SubPrograms", "Markers_Markers", "UserComponents_Components"] },
      Organizations: { columns: ORGANIZATIONS, rows: employers.map((employer, index) => makeOrganization(index + 1, employer, begunAt, random)) },
      Groups: { columns: GROUPS, rows: DIVISIONS.map((Name, index) => ({ Id: index + 1, Name, UpdatedDate: dotNetTime(begunAt - (400 + index) * DAY, random) })) },
    },
    unlicensed: ["Reviews", "ReviewResponses", "AwardingBodyQualifications"],
  };
}

/** Some learners move on, some start, and some organizations move house. */
export function advanceAptem(data: AptemData, name: string, changes: { learners: number; organizations: number; newcomers: number }, at: number, random: Random): void {
  const { sets } = data.tenants[name]!;
  const [Users, Organizations] = [sets.Users!, sets.Organizations!];
  const active = Users.rows.filter((row) => row.UserProgram_Status === "Active");
  const moved = new Set(random.shuffle(active).slice(0, changes.learners).map((row) => row.Id));
  Users.rows = Users.rows.map((row) => moved.has(row.Id!) ? progressed(row, at, random) : row);
  for (let count = 0; count < changes.newcomers; count += 1) {
    const model = random.pick(active);
    const person = makePerson(Users.rows.length, random);
    Users.rows.push({
      ...model, Id: Math.max(...Users.rows.map((row) => row.Id as number)) + 1, FullName: `${person.first} ${person.last}`, FirstName: person.first, LastName: person.last,
      Email: `${person.mailbox}@mail.example`, UserProgram_Status: "Enrolled", UserLearningPlanSummary_LearningPlanProgress: 0,
      UserLearningPlanSummary_ExpectedLearningPlanProgress: 0, UserLearningPlanSummary_CompletedTime: 0, CreatedDate: dotNetTime(at, random), UpdatedDate: dotNetTime(at, random),
    });
  }
  const rehoused = new Set(random.shuffle(Organizations.rows).slice(0, changes.organizations).map((row) => row.Id));
  Organizations.rows = Organizations.rows.map((row) => rehoused.has(row.Id!) ? { ...row, Town: row.Town === "York" ? "Ripon" : "York", Postcode: `YO1 ${random.whole(1, 9)}AB`, UpdatedDate: dotNetTime(at, random) } : row);
}

function progressed(row: Row, at: number, random: Random): Row {
  const progress = Math.min(100, (row.UserLearningPlanSummary_LearningPlanProgress as number) + random.whole(1, 8) + 0.5);
  return {
    ...row, UserLearningPlanSummary_LearningPlanProgress: progress, UserLearningPlanSummary_CompletedTime: (row.UserLearningPlanSummary_CompletedTime as number) + random.whole(30, 400),
    ...(progress === 100 ? { UserProgram_Status: "Completed" } : {}), UpdatedDate: dotNetTime(at, random),
  };
}

function makeLearner(id: number, employer: Employer, owner: number, begunAt: number, random: Random): Row {
  const person = makePerson(id, random);
  const startedAt = midnight(begunAt - random.whole(20, 700) * DAY);
  const lengthDays = random.pick([365, 425, 456, 548, 730]);
  const expected = Math.min(100, Math.round(((begunAt - startedAt) / DAY / lengthDays) * 1000) / 10);
  const status = expected >= 100 ? random.pick(["Completed", "Completed", "Active", "Withdrawn"]) : random.pick(["Active", "Active", "Active", "Active", "Active", "On break", "Withdrawn"]);
  const progress = status === "Completed" ? 100 : Math.max(0, Math.min(99, Math.round((expected - 12 + random.whole(0, 220) / 10) * 10) / 10));
  const hours = random.pick([278, 320, 374, 420, 480, 561]);
  const fresh = expected < 6;                                          // just enrolled: the plan is not made yet
  const updatedAt = Math.max(startedAt, begunAt - random.whole(1, 400) * DAY) - random.whole(1, DAY / 1_000) * 1_000 - random.whole(0, 999);
  return {
    Id: id, FullName: `${person.first} ${person.last}`, FirstName: person.first, LastName: person.last,
    Email: random.chance(0.03) ? null : `${random.chance(0.1) ? person.mailbox.toUpperCase() : person.mailbox}@${random.chance(0.6) ? employer.domain : "mail.example"}`,
    SubscriptionStatus: "FullUser", UserProgram_CurrentProgramme: random.pick(employer.programmes), UserProgram_Status: status,
    UserProgram_StartDate: zulu(startedAt), UserProgram_PlannedEndDate: random.chance(0.04) ? null : zulu(startedAt + lengthDays * DAY),
    UserILRSummary_PlannedHours: fresh ? null : hours, UserLearningPlanSummary_LearningPlanProgress: progress,
    UserLearningPlanSummary_ExpectedLearningPlanProgress: fresh ? null : expected, UserLearningPlanSummary_CompletedTime: Math.round(hours * 60 * progress / 100),
    UserEmployer_Organization: employer.name, UserEmployer_ManagerEmail: random.chance(0.15) ? (random.chance(0.5) ? null : "") : `manager${id % 7}@${employer.domain}`,
    UserPersonalDetails_OwnerId: owner, CreatedDate: dotNetTime(startedAt - 14 * DAY, random), UpdatedDate: dotNetTime(updatedAt, random),
  };
}

/** Tutors and administrators are users too: no programme, or another subscription. */
function makeStaff(shape: AptemShape, index: number, begunAt: number, random: Random): Row {
  const id = shape.firstId + index;
  const person = makePerson(id, random);
  const nothing = Object.fromEntries(Object.keys(USERS).map((column) => [column, null]));
  return {
    ...nothing, Id: id, FullName: `${person.first} ${person.last}`, FirstName: person.first, LastName: person.last, Email: `${person.mailbox}@training.example`,
    SubscriptionStatus: index % 2 === 0 ? "FullUser" : "Staff", CreatedDate: dotNetTime(begunAt - 900 * DAY, random), UpdatedDate: dotNetTime(begunAt - random.whole(2, 600) * DAY, random),
  };
}

function makeOrganization(id: number, employer: Employer, begunAt: number, random: Random): Row {
  // Some know only the number, some only the website, most both: an employer is joined by whichever is there.
  const known = id % 6;
  return {
    Id: id, Name: employer.name, CompanyNumber: known === 1 ? null : employer.number,
    Website: known === 2 ? null : random.pick(["https://www.{}/", "https://{}", "http://www.{}/about-us", "https://{}/careers"]).replace("{}", employer.domain),
    Phone: random.chance(0.8) ? employer.phone : null, Town: employer.town, Postcode: employer.postcode,
    CreatedDate: dotNetTime(begunAt - 800 * DAY, random), UpdatedDate: dotNetTime(begunAt - random.whole(2, 500) * DAY, random),
  };
}

/** As .NET prints an instant: up to seven fractional digits, trailing zeros dropped. Every tenth falls on a whole second. */
export function dotNetTime(milliseconds: number, random: Random): string {
  const text = new Date(milliseconds).toISOString();
  if (random.chance(0.1)) return `${text.slice(0, 19)}Z`;
  const fraction = (text.slice(20, 23) + String(random.whole(0, 9_999)).padStart(4, "0")).replace(/0+$/, "");
  return `${text.slice(0, 19)}${fraction ? `.${fraction}` : ""}Z`;
}

const midnight = (milliseconds: number): number => milliseconds - (milliseconds % DAY);
const zulu = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
