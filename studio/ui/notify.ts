/** Short words at the edge of the screen: that something was done, or why it was not. */
import { notifications } from "@mantine/notifications";
import { ApiError } from "../api/client.ts";

export const done = (message: string): void => { notifications.show({ message }); };

/** For `onError` of a mutation. */
export const failed = (title: string) => (error: Error): void => {
  const hint = error instanceof ApiError && error.hint !== undefined ? ` ${error.hint}` : "";
  notifications.show({ color: "red", title, message: `${error.message}${hint}`, autoClose: 8000 });
};
