/** A record and an entity with something of everything, for the tests of lints. */
import type { Schema } from "../../../../engine/expression/types-of/index.ts";

export const SOURCE: Schema = {
  type: "object",
  required: ["id", "name", "status", "total", "quantity", "created_at", "lines", "address"],
  properties: {
    id: { type: "integer" },
    name: { type: "string" },
    nickname: { type: ["string", "null"] },
    email: { type: "string", format: "email" },
    status: { enum: ["open", "won", "lost"] },
    priority: { enum: ["low", "high", null] },
    total: { type: "number" },
    quantity: { type: "integer" },
    discount: { type: ["number", "null"] },
    active: { type: "boolean" },
    born_on: { type: "string", format: "date" },
    created_at: { type: "string", format: "date-time" },
    meeting_at: { type: "string", format: "local-date-time" },
    account_number: { type: "string", examples: ["00123456", "01987654"] },
    message_id: { type: "string", examples: ["123456789012345678"] },
    tags: { type: "array", items: { type: "string" } },
    emails: { type: "array", items: { type: "object", required: ["value", "type"], properties: { value: { type: "string", format: "email" }, type: { enum: ["work", "home"] } } } },
    lines: {
      type: "array", minItems: 1,
      items: { type: "object", required: ["sku", "price"], properties: { sku: { type: "string" }, price: { type: "number" }, product_id: { type: "integer" } } },
    },
    products: { type: "array", items: { type: "object", required: ["id", "title"], properties: { id: { type: "integer" }, title: { type: "string" } } } },
    address: { type: "object", required: ["city"], properties: { city: { type: "string" }, country: { type: ["string", "null"] } } },
    owner: { type: ["object", "null"], properties: { name: { type: "string" } } },
    custom: { type: "object" },
  },
};

export const TARGET: Schema = {
  type: "object",
  additionalProperties: false,
  required: ["title", "stage"],
  properties: {
    title: { type: "string" },
    stage: { enum: ["open", "closed"] },
    note: { type: "string" },
    note_or_null: { type: ["string", "null"] },
    email: { type: "string", format: "email" },
    amount: { type: "number" },
    count: { type: "integer" },
    is_active: { type: "boolean" },
    day: { type: "string", format: "date" },
    at: { type: "string", format: "date-time" },
    tags: { type: "array", items: { type: "string" } },
    place: { type: "object", additionalProperties: false, properties: { city: { type: "string" }, code: { type: "number" } } },
    product: { type: "string" },
    custom: { type: "object" },
  },
};
