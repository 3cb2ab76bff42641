/** A button of something that cannot be undone: says what happens, and asks. */
import { Button, type ButtonProps, Group, Modal, Stack } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ReactNode, useState } from "react";
import { Failed } from "./states.tsx";

export function ConfirmButton({ label, title, yes = label, children, act, color = "red", "aria-label": name, ...button }: Omit<ButtonProps, "children"> & {
  /** On the button. */
  readonly label: string;
  /** The question. */
  readonly title: string;
  /** On the button that does it. */
  readonly yes?: string;
  /** What happens then. */
  readonly children: ReactNode;
  readonly act: () => Promise<unknown>;
  readonly "aria-label"?: string;
}) {
  const [opened, { open, close }] = useDisclosure();
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<unknown>();
  const go = async (): Promise<void> => {
    setPending(true);
    setError(undefined);
    try { await act(); close(); } catch (thrown) { setError(thrown); } finally { setPending(false); }
  };
  return <>
    <Button size="xs" variant="default" {...button} aria-label={name} aria-haspopup="dialog" onClick={open}>{label}</Button>
    <Modal opened={opened} onClose={close} title={title}>
      <Stack>
        {children}
        {error !== undefined && <Failed error={error} />}
        <Group justify="flex-end"><Button variant="default" onClick={close}>Leave it</Button><Button color={color} loading={pending} onClick={() => void go()}>{yes}</Button></Group>
      </Stack>
    </Modal>
  </>;
}
