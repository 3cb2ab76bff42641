/** A table of a list: columns, rows that lead somewhere, a button for the next page. On narrow screens it scrolls inside itself. */
import { Button, Group, ScrollArea, Table, VisuallyHidden } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";

export interface Column<Row> {
  /** Empty: of what can be done with a row. */
  readonly label: string;
  readonly show: (row: Row) => ReactNode;
  readonly align?: "right";
  /** CSS width. */
  readonly width?: string | number;
}

export function DataTable<Row>({ label, columns, rows, keyOf, hrefOf, more }: {
  /** For screen readers. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Where a click on the row leads. The first column should hold a link to the same place, for the keyboard. */
  readonly hrefOf?: (row: Row) => string;
  readonly more?: { readonly load: () => void; readonly loading: boolean } | undefined;
}) {
  const navigate = useNavigate();
  return (
    <>
      <ScrollArea type="auto" offsetScrollbars="x" viewportProps={{ tabIndex: 0, role: "region", "aria-label": label }}>
        <Table aria-label={label} miw={columns.length * 110} style={{ fontVariantNumeric: "tabular-nums" }}>
          <Table.Thead><Table.Tr>{columns.map((column) => <Table.Th key={column.label} scope="col" w={column.width} ta={column.align} fz="xs" c="dimmed" fw={500} style={{ whiteSpace: "nowrap" }}>{column.label || <VisuallyHidden>Actions</VisuallyHidden>}</Table.Th>)}</Table.Tr></Table.Thead>
          <Table.Tbody>
            {rows.map((row) => (
              <Table.Tr key={keyOf(row)} style={hrefOf && { cursor: "pointer" }} onClick={hrefOf && ((event) => {
                // Links, buttons and selected text inside the row mean themselves.
                if (event.defaultPrevented || (event.target as HTMLElement).closest("a,button,input,label,summary") || getSelection()?.toString()) return;
                void navigate({ to: hrefOf(row) });
              })}>
                {columns.map((column) => <Table.Td key={column.label} ta={column.align} fz="sm">{column.show(row)}</Table.Td>)}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea>
      {more && <Group justify="center" mt="xs"><Button variant="default" onClick={more.load} loading={more.loading}>Show more</Button></Group>}
    </>
  );
}
