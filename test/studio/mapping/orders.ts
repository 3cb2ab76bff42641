/** A workspace of its own for the editor's tests: a provider with nested items, and a mapping that says little yet. */
export const ORDERS: Readonly<Record<string, string>> = {
  "connectors/orders/connector.yaml": `connector: orders
title: Orders
category: other
config: { token: { title: Token, secret: true } }
http: { base_url: https://orders.example.com, auth: { type: api_key, header: Authorization, value: "{{config.token}}" } }
streams:
  orders: { get: /orders, records: orders, key: id }
`,
  "schemas/entities/order.schema.json": `${JSON.stringify({
    $schema: "https://json-schema.org/draft/2020-12/schema", $id: "order", title: "Order", type: "object", additionalProperties: false, required: ["reference"],
    properties: {
      reference: { type: "string" }, buyer: { type: "string" }, phone: { type: "string" }, note: { type: "string" }, ordered_on: { type: "string", format: "date" }, paid_at: { type: "string" },
      state: { type: "string", enum: ["open", "shipped", "cancelled"] },
      items: { type: "array", items: { type: "object", properties: { sku: { type: "string" }, quantity: { type: "number" } } } },
    },
  }, null, 2)}\n`,
  "mappings/orders/order.yaml": `mapping: orders/order
from: orders.orders
to: order
fields:                                     # one line a field
  reference: id
  buyer: customer.first                     # who signs
  phone: customer.phone
tests:
  - name: an order with two lines
    given:
      id: "A-1"
      customer: { first: Ada, last: Lovelace, phone: "0123", vip: true }
      status: O
      ordered: 03/11/2026
      remark: ring twice
      lines:
        - { sku: TEA, quantity: 2, price: 4.5 }
        - { sku: MUG, quantity: 1, price: 9 }
    expect: { reference: A-1, buyer: Ada, phone: "0123" }
  - name: one that was sent
    given: { id: "A-2", customer: { first: Bob, last: Burns }, status: S, ordered: 04/11/2026, lines: [] }
    expect: { reference: A-2, buyer: Bob }
`,
};
