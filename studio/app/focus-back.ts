/** A dialog gives the focus back to what opened it. Where that is an item of a menu, the item is gone by then: it is the button that opened the menu. */
import { useEffect } from "react";

export function useFocusBack(): void {
  useEffect(() => {
    const leave = ({ target }: MouseEvent): void => {
      const menu = (target as Element).closest("[data-menu-item][aria-haspopup=dialog]")?.closest("[data-menu-dropdown]");
      if (menu) document.querySelector<HTMLElement>(`[aria-controls="${menu.id}"]`)?.focus();
    };
    document.addEventListener("click", leave, true);                 // before the dialog asks who has the focus
    return () => document.removeEventListener("click", leave, true);
  }, []);
}
