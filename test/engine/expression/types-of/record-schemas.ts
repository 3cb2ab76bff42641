/**
 * Records as the providers of the shipped mappings document them: names, types, and what can be null. For the tests of lints only;
 * a connector that ships a `schema` of its own is tested with that too.
 */
import type { Schema } from "../../../../engine/expression/types-of/index.ts";

const text = { type: "string" };
const nullable = { type: ["string", "null"] };
const instant = { type: ["string", "null"], format: "date-time" };
const number = { type: ["number", "null"] };
const record = (required: string[], properties: object): Schema => ({ type: "object", required, properties });

export const RECORD_SCHEMAS: Readonly<Record<string, Schema>> = {
  "hubspot.companies": record(["id", "properties"], {
    id: text, createdAt: { type: "string", format: "date-time" }, updatedAt: { type: "string", format: "date-time" }, archived: { type: "boolean" },
    properties: record([], { name: nullable, domain: nullable, company_number: nullable, phone: nullable, city: nullable, numberofemployees: nullable, hubspot_owner_id: nullable }),
  }),
  "greenhouse.candidates": record(["id", "email_addresses", "phone_numbers"], {
    id: { type: "integer" }, first_name: nullable, last_name: nullable, company: nullable, title: nullable,
    email_addresses: { type: "array", items: record(["value", "type"], { value: { type: "string" }, type: text }) },
    phone_numbers: { type: "array", items: record(["value", "type"], { value: { type: "string" }, type: text }) },
  }),
  "greenhouse.applications": record(["id", "candidate_id", "status"], {
    id: { type: "integer" }, candidate_id: { type: "integer" }, job_id: { type: ["integer", "null"] }, job_interview_stage_id: { type: ["integer", "null"] }, status: text,
    applied_at: instant, rejected_at: instant, last_activity_at: instant,
  }),
  "greenhouse.jobs": record(["id", "name", "status"], {
    id: { type: "integer" }, name: text, requisition_id: nullable, status: text, opened_at: instant, closed_at: instant, is_template: { type: ["boolean", "null"] },
  }),
  "aptem.organizations": record(["Id"], {
    Id: { type: "integer" }, Name: nullable, Website: nullable, CompanyNumber: nullable, Phone: nullable, Town: nullable, Postcode: nullable,
  }),
  "aptem.users": record(["Id", "FullName"], {
    Id: { type: "integer" }, FullName: text, Email: nullable, SubscriptionStatus: nullable,
    UserProgram_CurrentProgramme: nullable, UserProgram_Status: nullable, UserProgram_StartDate: instant, UserProgram_PlannedEndDate: instant,
    UserILRSummary_PlannedHours: number, UserLearningPlanSummary_LearningPlanProgress: number, UserLearningPlanSummary_ExpectedLearningPlanProgress: number,
    UserLearningPlanSummary_CompletedTime: number, UserEmployer_Organization: nullable, UserEmployer_ManagerEmail: nullable,
  }),
};
